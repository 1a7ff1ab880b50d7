"""All bases for one Python, built by two builders that know nothing; and a CUDA program compiled.

    python -m bench bases

Needs what `make stack` needs, and downloads about 400 MB from Debian and PyPI. The time is that of
the builder and the network; what counts is that both builders make the same digests.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bench.measure import Row
from packer.buildkit import address
from packer.buildkit.build import Build
from packer.buildkit.builder import Builder
from packer.errors import SendoffError
from tests.buildkit import docker_cli
from tests.e2e.sandboxes import TOOLS
from tests.stack import lifecycle
from tests.stack.buildkit.second import SecondBuilder
from tests.stack.stack import Stack
from tests.stack.unavailable import Unavailable

PYTHON = "3.11"
COMPILERS = ("cuda-devel", "cuda-devel-12")
NAMES = ("cpu", "cuda-runtime", *COMPILERS)
PROGRAM = """\
#include <cstdio>
__global__ void add(float *a, float b) { a[threadIdx.x] += b; }
int main() { printf("compiled\\n"); return 0; }
"""
COMPILE = """\
FROM {base}
COPY add.cu /tmp/
RUN cd /tmp && nvcc -arch=sm_90 -o add add.cu && ./add && gcc --version \\
 && printf '#include <Python.h>\\nint main() {{}}' > x.c \\
 && gcc -fsyntax-only -I/usr/include/python{python} x.c
"""


def rows(folder: Path) -> list[Row]:
    try:
        with lifecycle.borrowed() as stack, pytest.MonkeyPatch.context() as patch:
            docker_cli(folder / "cli", patch)
            return measured(stack, folder)
    except Unavailable as reason:
        return [Row("base images", "not measured", str(reason), "a stack", met=False)]


def measured(stack: Stack, folder: Path) -> list[Row]:
    registry = stack.known["registry"]["address"]
    bases = f"{registry}/bench-{os.urandom(4).hex()}"
    options = ("--root", stack.known["images"]["base"], "--python", PYTHON, "--bases", bases)
    made, took = [], []
    for number in range(2):
        with SecondBuilder(registry) as builder:
            where = ("--builder", builder.address)
            began = time.perf_counter()
            push = ("--push",) if number else ()
            made.append(sendoff(folder / f"cache-{number}", *options, *where, *push))
            took.append(time.perf_counter() - began)
            failures = failed(builder.address, bases, folder) if number else []
    first, second = ({each["name"]: each["digest"] for each in one} for one in made)
    sizes = ", ".join(f"{each['name']} {each['size'] / 1e6:.0f} MB" for each in made[0])
    same = sum(first[name] == second[name] for name in NAMES)
    return [
        Row(
            f"bases for Python {PYTHON}, from nothing ({sizes})",
            f"{min(took):.0f} s",
            "",
            "",
            met=True,
        ),
        Row(
            "the same bases from two builders",
            f"{same} of {len(NAMES)} digests equal",
            "",
            "all",
            met=same == len(NAMES),
        ),
        Row(
            f"nvcc, gcc and Python's headers in {' and '.join(COMPILERS)}",
            "; ".join(failures) or "they compile",
            "",
            "they compile",
            met=not failures,
        ),
    ]


def sendoff(cache: Path, *options: str) -> list[dict[str, Any]]:
    """What `sendoff base build` made."""
    command = [str(TOOLS / "sendoff"), "base", "build", "--json", *options, *NAMES]
    env = {**os.environ, "SENDOFF_CACHE": str(cache)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def failed(where: str, bases: str, folder: Path) -> list[str]:
    """On which bases a CUDA program can't be compiled, and why."""
    (folder / "program").mkdir()
    (folder / "program" / "add.cu").write_text(PROGRAM)
    builder, found = Builder(address.parse(where), folder / "cache"), []
    for name in COMPILERS:
        text = COMPILE.format(base=f"{bases}/{name}:{PYTHON}", python=PYTHON)
        try:
            builder.build(Build(dockerfile=text, context=folder / "program"))
        except SendoffError as error:
            found.append(f"{name}: {error.what()}: {error.evidence()}")
    return found
