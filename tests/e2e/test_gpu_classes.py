"""What a GPU class of a cluster means for what is packed: CUDA, and drivers that nodes have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests import indexes
from tests.cluster_nodes import ClusterNodes
from tests.e2e import sandboxes
from tests.e2e.desk import Desk
from tests.indexes import Indexes
from tests.registries.images import make_image
from tests.registries.process import RegistryProcess
from tests.unit.dispatcher.kubernetes.conftest import H100, node

MINOR = ".".join(map(str, sys.version_info[:2]))
V100 = "Tesla-V100-SXM2-32GB"
BASES = {
    "plain": {},
    "cuda-devel": {"base.name": "cuda-devel", "base.cuda": "13.0", "base.driver": "580.65.06"},
}


class Site:
    """A desk with torch for CPUs, an index, a registry with bases, and a cluster's nodes."""

    def __init__(self, home: Path, served: Indexes, registry: str, kubeconfig: Path) -> None:
        self.served = served
        self.images = Registry(Repository.parse(f"{registry}/images"), Access(), home / "known")
        venv = sandboxes.empty(home / "venv")
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SENDOFF_")},
            **indexes.settings(served),
            "VIRTUAL_ENV": str(venv),
            "KUBECONFIG": str(kubeconfig),
            "SENDOFF_TARGET": "kubernetes",
            "SENDOFF_REGISTRY": f"{registry}/images",
            "SENDOFF_BASE": f"{registry}/base:plain",
            "SENDOFF_TORCH_INDEX": served.url + "/whl",
            "SENDOFF_BUILDER": "native",
            "SENDOFF_WARM": "0",
        }
        names = ("CACHE", "DATA", "STATE", "CONFIG")
        env |= {f"XDG_{name}_HOME": str(home / name) for name in names}
        self.desk = Desk(home, env)
        self.desk.write("train.py", "import torch\n")
        self._bases(home, registry)
        install = [str(sandboxes.TOOLS / "uv"), "pip", "install", "-q", "--python", str(venv)]
        index = ["--index", served.url + "/whl/cpu", "--index-strategy", "unsafe-best-match"]
        subprocess.run([*install, *index, "torch==2.9.1+cpu"], check=True, env=env)

    def _bases(self, home: Path, registry: str) -> None:
        layout = Layout(home / "bases")
        bases = Registry(Repository.parse(f"{registry}/base"), Access(), home / "known")
        for tag, labels in BASES.items():
            made = make_image(layout, minor=MINOR, labels=labels)
            bases.push(PushRequest(layout=layout.root, images=(made,), tags={tag: made}))

    def base(self, tag: str) -> dict[str, str]:
        return {"SENDOFF_BASE": self.desk.env["SENDOFF_BASE"].replace("plain", tag)}

    def torch(self, *options: str) -> str:
        """The version of torch that would arrive."""
        found = self.desk.json("pack", "--dry-run", *options)
        return next(row["version"] for row in found["arrivals"] if row["name"] == "torch")

    def nothing_made(self) -> bool:
        """Whether nothing was fetched for CUDA, and nothing pushed."""
        kept = (self.desk.home / "CACHE" / "sendoff" / "wheels").rglob("*+cu*.whl")
        return not list(kept) and not self.images.tags()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    nodes = (
        node("h-1", 8, product=H100, driver="535.104.05"),
        node("v-1", 8, product=V100, driver="450.80.02"),
        node("b-1", 8, product="NVIDIA-B300", driver="580.82.07"),
    )
    with (
        Indexes() as served,
        RegistryProcess(home / "registry") as registry,
        ClusterNodes(*nodes) as cluster,
    ):
        indexes.pytorch(served)
        yield Site(home, served, registry.host, cluster.kubeconfig(home / "kubeconfig"))


def refused(site: Site, *arguments: str, **env: str) -> Any:
    done = site.desk(*arguments, "--json", **env)
    assert done.returncode == 125, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_a_gpu_class_implies_cuda_and_a_cpu_class_does_not(site: Site) -> None:
    assert site.torch("--gpu", "h100") == "2.9.1+cu128"
    assert site.torch("--gpu", "cpu") == "2.9.1+cpu"
    assert site.torch() == "2.9.1+cpu"


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_drivers_that_are_too_old_are_told_before_anything_is_made(
    site: Site, how: tuple[str, ...]
) -> None:
    told = refused(site, "pack", "--gpu", "v100", *how)
    assert told["code"] == "DRIVER_TOO_OLD"
    assert "525.60.13" in told["message"]
    assert "450.80.02" in told["evidence"]
    assert site.nothing_made()


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_a_base_wants_a_driver_too(site: Site, how: tuple[str, ...]) -> None:
    as_it_is = ("--gpu", "h100", "--cuda", "none", *how)
    told = refused(site, "pack", *as_it_is, **site.base("cuda-devel"))
    assert told["code"] == "DRIVER_TOO_OLD"
    assert "580.65.06" in told["message"]
    assert site.nothing_made()


def test_cuda_13_runs_where_nodes_are_new_enough(site: Site) -> None:
    for base in BASES:
        found = site.desk.json("pack", "--dry-run", "--gpu", "b300", **site.base(base))
        assert found["retargeted"]["cuda"] == "13.0"
    told = refused(site, "pack", "--dry-run", "--gpu", "h100", "--cuda", "13.0")
    assert told["code"] == "DRIVER_TOO_OLD"
    assert site.nothing_made()


def test_a_base_with_the_compiler_of_another_cuda_is_refused(site: Site) -> None:
    told = refused(site, "pack", "--gpu", "h100", **site.base("cuda-devel"))
    assert told["code"] == "BASE_CUDA_DIFFERS"
    assert site.nothing_made()


def test_a_cluster_that_can_not_be_asked_is_no_reason_against_packing(
    site: Site, tmp_path: Path
) -> None:
    nobody = tmp_path / "kubeconfig"
    with ClusterNodes() as cluster:
        cluster.kubeconfig(nobody)
    for path in (nobody, tmp_path / "none"):
        done = site.desk("pack", "--dry-run", "--gpu", "v100", KUBECONFIG=str(path))
        assert done.returncode == 0, done.stderr
