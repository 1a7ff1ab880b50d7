"""Which builds are taken, from a real index that plays PyTorch's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from packer.environment import cuda, target
from packer.environment.cuda import CudaWish
from packer.environment.environment import Environment
from packer.progress import SILENT
from packer.retargeting.build_finder import BuildFinder
from packer.retargeting.builds import Builds
from packer.retargeting.errors import NoCudaBuild, TorchIndexUnreachable
from packer.retargeting.plan import plan
from packer.wheels import index_sources
from packer.wheels.candidates import Question
from packer.wheels.wheel_finder import WheelFinder
from packer.wheels.wheelhouse import Wheelhouse
from tests.described import description
from tests.indexes import LINUX, NVIDIA, Indexes, wheel

CLOSED = "http://127.0.0.1:9/whl"
"""An index that nobody serves: the discard port is closed."""


class Finding:
    """Finds builds for described environments."""

    def __init__(self, folder: Path, served: Indexes) -> None:
        self._folder, self._served = folder, served

    def find(
        self, found: Environment | str, *lines: str, glibc: str = "", **wish: object
    ) -> Builds:
        environment = description.environment(found) if isinstance(found, str) else found
        wanted = target.of(environment.interpreter, "linux/amd64", glibc)
        settings = {"index": self._served.url + "/whl", **wish}
        asked = CudaWish(lines=lines, **settings)
        planned = plan(environment, wanted, asked, description.names(environment))
        assert planned
        sources = index_sources.find("/sandbox", Path("/sandbox"))
        house = Wheelhouse(root=self._folder / "wheels", sources=sources)
        question = Question(python=sys.executable, project=self._folder, sources=sources)
        finder = WheelFinder(self._folder / "pins", question, wanted, house)
        return BuildFinder(finder, "3.11", asked).find(planned, SILENT)


@pytest.fixture
def finding(tmp_path: Path, indexes: Indexes) -> Finding:
    return Finding(tmp_path, indexes)


def versions(builds: Builds) -> dict[str, str]:
    return {name: pin.version for name, pin in sorted(builds.pins.items())}


@pytest.mark.parametrize("name", description.NAMES)
@pytest.mark.parametrize(
    ("lines", "line", "runtime"),
    [
        (("12.9", "12.8", "12.6"), "12.8", {"nvidia-cuda-runtime-cu12": "12.8.90"}),
        (("13.2", "13.0", "12.9", "12.8"), "13.0", {"nvidia-cuda-runtime": "13.0.48"}),
    ],
)
def test_the_best_line_with_builds_is_taken(
    finding: Finding, name: str, lines: tuple[str, ...], line: str, runtime: dict[str, str]
) -> None:
    builds = finding.find(name, *lines)
    found = versions(builds)
    assert builds.line == line
    local = cuda.backend(line)
    assert found["torch"] == f"2.9.1+{local}"
    assert found["torchvision"] == f"0.24.1+{local}"
    assert {each: found[each] for each in found if "runtime" in each} == runtime
    assert found["triton"] == "3.5.1"
    assert "sympy" not in found
    missing = {"greenlet", "jeepney", "secretstorage", "cryptography"}
    assert (missing <= found.keys()) == (name == "macos-arm64")
    assert not builds.warnings


def test_sizes_are_asked_for_where_the_index_tells_none(finding: Finding, indexes: Indexes) -> None:
    builds = finding.find("linux-amd64-cpu", "12.6")
    for pin in builds.pins.values():
        folder = "whl/cu126" if "+" in pin.version else "simple"
        assert pin.size == len(indexes.wheels[folder][pin.filename])


@pytest.mark.parametrize("glibc", ["", "2.31", "2.41"])
def test_builds_are_those_that_any_usual_base_runs(
    finding: Finding, indexes: Indexes, glibc: str
) -> None:
    indexes.add("simple", *wheel("greenlet", "3.5.6", LINUX.replace("2_28", "2_34")))
    builds = finding.find("macos-arm64", "12.8", glibc=glibc)
    assert builds.pins["greenlet"].filename.endswith("manylinux_2_28_x86_64.whl")


def test_builds_that_want_a_newer_glibc_are_none(finding: Finding) -> None:
    with pytest.raises(NoCudaBuild):
        finding.find("linux-amd64-cpu", "12.8", glibc="2.17", asked=True)


def test_without_cuda(finding: Finding) -> None:
    builds = finding.find("macos-arm64")
    assert versions(builds)["torch"] == "2.9.1+cpu"
    assert "triton" not in builds.pins
    assert builds.line == ""


def test_the_package_index_serves_where_pytorchs_does_not(finding: Finding) -> None:
    builds = finding.find("macos-arm64", "13.0", "12.8", index=CLOSED)
    assert builds.line == "12.8"
    assert versions(builds)["torch"] == "2.9.1"
    assert "for CUDA 12.8" in builds.warnings[0]
    with pytest.raises(TorchIndexUnreachable) as refused:
        finding.find("macos-arm64", "12.6", index=CLOSED, asked=True)
    assert refused.value.retryable
    # Without CUDA its build serves too: it is only larger.
    assert finding.find("macos-arm64", index=CLOSED).warnings


def test_no_build_names_what_there_is(finding: Finding) -> None:
    with pytest.raises(NoCudaBuild) as refused:
        finding.find("linux-amd64-cpu", "11.8", asked=True)
    error = refused.value
    assert error.what() == "torch 2.9.1 has no build for CUDA 11.8"
    assert error.others == ("13.0", "12.8", "12.6")
    assert error.fix().startswith("--cuda 13.0, ")


def test_one_member_without_a_build_is_named(finding: Finding, indexes: Indexes) -> None:
    name = next(each for each in indexes.wheels["whl/cu126"] if each.startswith("torchvision"))
    del indexes.wheels["whl/cu126"][name]
    with pytest.raises(NoCudaBuild) as refused:
        finding.find("linux-amd64-cpu", "12.6", asked=True)
    assert refused.value.names == ("torchvision 0.24.1",)


def jax(served: Indexes) -> Environment:
    served.add("simple", *wheel("jax", "0.6.2", requires=('jax-cuda12-plugin; extra == "cuda12"',)))
    served.add("simple", *wheel("jax-cuda12-plugin", "0.6.2", LINUX, requires=("jax-cuda12-pjrt",)))
    served.add("simple", *wheel("jax-cuda12-pjrt", "0.6.2", NVIDIA))
    return description.read(
        {
            "platform": "macosx-14.0-arm64",
            "python": "3.11.9",
            "distribution": [
                {"name": "jax", "version": "0.6.2", "requires": ["jaxlib<=0.6.2"]},
                {"name": "jaxlib", "version": "0.6.2"},
                {"name": "jax-metal", "version": "0.1.1", "requires": ["jax"]},
            ],
        }
    )


def test_jax_gets_its_plugins_and_nothing_of_its_own_changes(
    finding: Finding, indexes: Indexes
) -> None:
    builds = finding.find(jax(indexes), "12.8")
    assert sorted(builds.pins) == ["jax-cuda12-pjrt", "jax-cuda12-plugin"]
    assert builds.dropped == {"jax-metal": "only of use on macosx/arm64"}
    with pytest.raises(NoCudaBuild, match="jax"):
        finding.find(jax(indexes), "13.0", asked=True)


def test_the_whole_family_of_torch_comes_of_one_line(finding: Finding, indexes: Indexes) -> None:
    versions_of = {"torchaudio": "2.9.1", "torchao": "0.14.1", "torchcodec": "0.8.1"}
    for name, version in versions_of.items():
        for line in ("cpu", "cu126", "cu128"):
            indexes.add(f"whl/{line}", *wheel(name, f"{version}+{line}", LINUX))
    found = description.environment("linux-amd64-cpu")
    others = [{"name": name, "version": f"{each}+cpu"} for name, each in versions_of.items()]
    builds = finding.find(description.with_others(found, *others), "12.6")
    assert builds.line == "12.6"
    family = {"torch": "2.9.1", "torchvision": "0.24.1", **versions_of}
    assert {name: versions(builds)[name] for name in family} == {
        name: f"{version}+cu126" for name, version in family.items()
    }


def cupy(name: str) -> Environment:
    return description.read(
        {
            "platform": "linux-x86_64",
            "python": "3.11.9",
            "distribution": [{"name": name, "version": "13.6.0"}],
        }
    )


def test_cupy_changes_its_name_with_the_major(finding: Finding, indexes: Indexes) -> None:
    indexes.add("simple", *wheel("cupy-cuda12x", "13.6.0", LINUX))
    builds = finding.find(cupy("cupy-cuda11x"), "12.8", asked=True)
    assert versions(builds) == {"cupy-cuda12x": "13.6.0"}
    assert builds.dropped.keys() == {"cupy-cuda11x"}
    with pytest.raises(NoCudaBuild, match=r"cupy-cuda13x 13\.6\.0"):
        finding.find(cupy("cupy-cuda12x"), "13.0", asked=True)
