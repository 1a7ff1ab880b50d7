"""Bases with a compiler, and of another suite than the cluster's images: what is in them works."""

from __future__ import annotations

from pathlib import Path

from packer.buildkit import address
from packer.buildkit.build import Build
from packer.buildkit.builder import Builder
from tests.e2e.cluster.foundry import Foundry
from tests.stack import base, images

LOOK = """\
import ctypes, ssl, sys
for name in ("libGL.so.1", "libgomp.so.1", "libstdc++.so.6", "libglib-2.0.so.0", "libXext.so.6"):
    ctypes.CDLL(name)
assert sys.version_info[:3] == (3, 13, 5), sys.version
assert ssl.create_default_context().get_ca_certs()
"""
PROGRAM = """\
#include <cstdio>
__global__ void add(float *a, float b) { a[threadIdx.x] += b; }
int main() { printf("compiled"); return 0; }
"""


def use(foundry: Foundry, reference: str, files: Path, *steps: str) -> None:
    """Run `steps` in a container of a base, as its user, with `files` in the working directory.

    Raises:
        BuildFailed: one of them failed; its evidence is what the step said.
    """
    lines = [
        f"FROM {reference}",
        "COPY . /tmp/",
        "WORKDIR /tmp",
        *(f"RUN {each}" for each in steps),
    ]
    where = address.parse(foundry.desk.env["SENDOFF_BUILDER"])
    Builder(where, foundry.desk.home / "builder").build(
        Build(dockerfile="".join(f"{line}\n" for line in lines), context=files)
    )


def test_python_3_13_stands_on_trixie(foundry: Foundry, tmp_path: Path) -> None:
    host, repository = foundry.bases.split("/", 1)
    digest = images.push(base.trixie(), host, f"{repository}/trixie", "root")
    root = f"{foundry.bases}/trixie@{digest}"
    [cpu] = foundry.json("build", "--root", root, "--python", "3.13", "--push", "cpu")
    assert cpu["distribution"] == "debian-13"
    assert cpu["packages"].keys() >= {"tini", "libgl1", "libglib2.0-0t64", "python3"}
    assert not {"libgl1-mesa-dri"} & cpu["packages"].keys()
    (tmp_path / "look.py").write_text(LOOK)
    use(foundry, f"{foundry.bases}/cpu@{cpu['digest']}", tmp_path, "python3.13 look.py")


def test_a_gpu_s_program_and_an_extension_are_compiled(foundry: Foundry, tmp_path: Path) -> None:
    [devel] = foundry.build("--push", "cuda-devel")
    (tmp_path / "add.cu").write_text(PROGRAM)
    (tmp_path / "extension.c").write_text("#include <Python.h>\n")
    use(
        foundry,
        f"{foundry.bases}/cuda-devel@{devel['digest']}",
        tmp_path,
        "nvcc -arch=sm_90 -o /tmp/add add.cu && test $(/tmp/add) = compiled",
        "gcc -shared -fPIC -I/usr/include/python3.11 -o /tmp/extension.so extension.c",
    )
