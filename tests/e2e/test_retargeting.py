"""A sandbox with torch for CPUs is sent off for CUDA; real servers play the indexes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from packer.environment import locking
from packer.environment.cuda import CudaWish
from packer.environment.interpreter import describe
from packer.environment.sandbox import Sandbox
from packer.images.layout import Layout
from packer.pack import pack
from packer.pack_request import PackRequest
from packer.progress import SILENT
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from packer.wheels.errors import NoWheelForTarget
from sendoff.terminal import explanation
from tests import indexes
from tests.described import description
from tests.e2e import sandboxes
from tests.indexes import Indexes
from tests.registries.process import RegistryProcess

TORCH = "import torch, torchvision; print(torch.version, torchvision.version)"


@dataclass
class Desk:
    """A project with an environment that holds torch for CPUs, and `sendoff` run in it."""

    folder: Path
    served: Indexes

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            **indexes.settings(self.served),
            **{f"XDG_{name}_HOME": str(self.folder / name) for name in ("CACHE", "DATA", "STATE")},
            "VIRTUAL_ENV": str(self.venv),
            "SENDOFF_TORCH_INDEX": self.served.url + "/whl",
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sandboxes.TOOLS / "sendoff", *arguments]
        return subprocess.run(
            command, cwd=self.project, env=self.env, capture_output=True, text=True, check=False
        )

    def json(self, *arguments: str) -> Any:
        done = self(*arguments)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    def changes(self, *arguments: str) -> dict[str, tuple[str, str]]:
        rows = self.json("pack", "--explain", "--json", *arguments)["distributions"]
        return {row["name"]: (row.get("change", "kept"), row["version"]) for row in rows}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Indexes() as served:
        indexes.pytorch(served)
        made = Desk(tmp_path_factory.mktemp("desk"), served)
        made.project.mkdir()
        (made.project / "train.py").write_text("import torch\n")
        sandboxes.empty(made.venv)
        install = [sandboxes.TOOLS / "uv", "pip", "install", "-q", "--python", made.venv]
        index = ["--index", served.url + "/whl/cpu", "--index-strategy", "unsafe-best-match"]
        wanted = ["torch==2.9.1+cpu", "torchvision==0.24.1+cpu"]
        subprocess.run([*install, *index, *wanted], check=True, env=made.env)
        yield made


def test_without_cuda_it_arrives_as_it_is(desk: Desk) -> None:
    done = desk("run", "--", "python", "-c", TORCH)
    assert done.stdout == "2.9.1+cpu 0.24.1+cpu\n", done.stderr


def test_the_command_finds_torch_for_cuda(desk: Desk) -> None:
    done = desk("run", "--cuda", "12.8", "--", "python", "-c", TORCH)
    assert done.stdout == "2.9.1+cu128 0.24.1+cu128\n", done.stderr
    assert "with CUDA 12.8: 1 kept" in done.stderr


def test_the_explanation_tells_each_change(desk: Desk) -> None:
    assert desk.changes("--cuda", "12.6") == {
        "nvidia-cuda-runtime-cu12": ("added", "12.6.77"),
        "sympy": ("kept", "1.14.0"),
        "torch": ("changed", "2.9.1+cu126"),
        "torchvision": ("changed", "0.24.1+cu126"),
        "triton": ("added", "3.5.1"),
    }
    lines = desk("pack", "--explain", "--cuda", "12.6").stdout
    assert "from linux/amd64 to linux/amd64 with CUDA 12.6: 1 kept" in lines
    assert "2.9.1+cpu → 2.9.1+cu126" in lines


def test_torch_for_cuda_13_comes_with_its_runtime(desk: Desk) -> None:
    changed = desk.changes("--cuda", "13.0")
    assert changed["torch"] == ("changed", "2.9.1+cu130")
    assert changed["nvidia-cuda-runtime"] == ("added", "13.0.48")
    assert "nvidia-cuda-runtime-cu12" not in changed


def test_a_dry_run_fetches_and_makes_nothing(desk: Desk) -> None:
    desk.served.asked.clear()
    before = sorted((desk.folder / "DATA").rglob("*"))
    found = desk.json("pack", "--dry-run", "--cuda", "12.8", "--json")
    assert found["retargeted"] == {
        "source": "linux/amd64",
        "target": "linux/amd64",
        "cuda": "12.8",
    }
    assert all(row["size"] for row in found["arrivals"])
    assert [(each["builder"], each["makes"]) for each in found["tasks"]] == [
        ("native", "5 layers"),
        ("native", "run image"),
    ]
    assert "builders:" in desk("pack", "--dry-run", "--cuda", "12.8").stdout.splitlines()
    assert sorted((desk.folder / "DATA").rglob("*")) == before
    told = desk("run", "--dry-run", "--cuda", "12.8", "--", "true").stderr
    assert "2.9.1+cpu → 2.9.1+cu128" in told


def test_what_cannot_run_is_refused_before_anything_is_asked(desk: Desk) -> None:
    desk.served.asked.clear()
    done = desk("pack", "--gpu", "b200", "--cuda", "11.8", "--json")
    assert done.returncode == 125
    refused = json.loads(done.stdout)
    assert (refused["code"], refused["phase"]) == ("CUDA_UNFIT", "admission")
    assert not desk.served.asked


def test_a_line_without_builds_names_those_that_there_are(desk: Desk) -> None:
    refused = json.loads(desk("pack", "--cuda", "11.8", "--json").stdout)
    assert refused["code"] == "NO_CUDA_BUILD"
    assert refused["cause"] == "there are builds for CUDA 13.0, 12.8, 12.6"


def test_wheels_that_are_not_what_was_locked_make_no_image(desk: Desk, tmp_path: Path) -> None:
    name = next(each for each in desk.served.wheels["whl/cu128"] if each.startswith("torch-"))
    desk.served.hashes[name] = "0" * 64
    empty = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "SENDOFF_REGISTRY": str(tmp_path / "images"),
    }
    command = [sandboxes.TOOLS / "sendoff", "pack", "--cuda", "12.8", "--json"]
    try:
        done = subprocess.run(
            command, cwd=desk.project, env=desk.env | empty, capture_output=True, check=False
        )
    finally:
        desk.served.hashes.clear()
    refused = json.loads(done.stdout)
    assert refused["code"] == "WHEEL_HASH_MISMATCH"
    assert refused["evidence"].endswith(name)
    assert not Layout(tmp_path / "images").tags()


def test_a_mac_s_environment_is_reported_whole_where_some_of_it_has_no_wheel(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden
) -> None:
    for variable, value in indexes.settings(desk.served).items():
        monkeypatch.setenv(variable, value)
    found = description.environment("macos-arm64")
    here = describe(desk.venv / "bin" / "python", tmp_path)
    request = Sandbox(
        interpreter=here,
        project=tmp_path,
        cache=tmp_path,
        platform="linux/amd64",
        cuda=CudaWish(lines=("12.8",), index=desk.served.url + "/whl"),
    )
    with pytest.raises(NoWheelForTarget) as refused:
        locking.draft(_with_python(found, str(sys.executable)), request, SILENT)
    error = refused.value
    assert "pyobjc-core" in {each.name for each in error.distributions}
    assert error.report
    golden("retargeting/no-wheel.txt", "\n".join(explanation.environment(error.report)) + "\n")


def test_what_the_registry_has_is_fetched_by_nobody(
    desk: Desk, tmp_path: Path, monkeypatch
) -> None:
    """An empty machine asks for metadata, and for no wheel that is a layer already."""
    for variable, value in desk.env.items():
        monkeypatch.setenv(variable, value)
    with RegistryProcess(tmp_path / "registry") as server:
        first, files = _pushed(desk, tmp_path / "one", server.host)
        assert [each for each in files if each.startswith("torch-2.9.1")]
        again, files = _pushed(desk, tmp_path / "two", server.host)
    assert again == first
    assert not [each for each in files if "torch" in each or "nvidia" in each]


def _pushed(desk: Desk, home: Path, host: str) -> tuple[str, list[str]]:
    desk.served.asked.clear()
    registry = Registry(Repository.parse(f"{host}/team/runs"), Access(), home / "known")
    request = PackRequest(
        project=desk.project,
        layout=home / "layout",
        cache=home / "cache",
        python=str(desk.venv / "bin" / "python"),
        cuda=CudaWish(lines=("12.8",), index=desk.served.url + "/whl"),
    )
    with registry.layers(request.layout, ()) as shared:
        packed = pack(request, shared=shared)
        shared.settle(SILENT)
    registry.push(
        PushRequest(
            layout=request.layout,
            images=packed.images,
            environment=packed.environment,
            tags=packed.tags,
        )
    )
    return packed.images[0], desk.served.fetched()


def _with_python(found: Any, python: str) -> Any:
    from msgspec.structs import replace

    return replace(found, interpreter=replace(found.interpreter, executable=python))
