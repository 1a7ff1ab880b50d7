"""Which wheels run where an image is to run."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from packer.environment import target
from packer.environment.target import Target
from tests.described import description

MAC = description.environment("macos-arm64").interpreter


def glibcs(found: Target) -> list[str]:
    """The platforms of its tags for compiled wheels of its own minor, as they are tried."""
    prefix = "cp311-cp311-"
    return [tag.removeprefix(prefix) for tag in found.tags if tag.startswith(prefix)]


def test_a_known_glibc_bounds_what_runs() -> None:
    found = glibcs(target.of(MAC, "linux/amd64", "2.31"))
    assert found[:2] == ["manylinux_2_31_x86_64", "manylinux_2_30_x86_64"]
    assert found[-2:] == ["manylinux1_x86_64", "linux_x86_64"]
    assert not [each for each in found if each.startswith("musllinux")]


def test_without_one_the_surest_comes_first() -> None:
    found = glibcs(target.of(MAC, "linux/amd64"))
    assert found[:2] == ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"]
    assert found.index("manylinux1_x86_64") < found.index("manylinux_2_29_x86_64")
    assert found.index("manylinux_2_29_x86_64") < found.index("manylinux_2_34_x86_64")


@pytest.mark.parametrize(
    ("platform", "glibc", "expected"),
    [
        ("linux/amd64", "", "x86_64-manylinux_2_28"),
        ("linux/arm64", "2.36", "aarch64-manylinux_2_28"),
        ("linux/amd64", "2.24", "x86_64-manylinux2014"),
        ("linux/riscv64", "2.41", "linux"),
    ],
)
def test_what_uv_calls_it(platform: str, glibc: str, expected: str) -> None:
    assert target.of(MAC, platform, glibc).uv_platform == expected


def test_wheels_of_a_free_threaded_build_do_not_run() -> None:
    tags = target.of(replace(MAC, version="3.13.1"), "linux/amd64").tags
    assert "cp313-cp313-manylinux_2_28_x86_64" in tags
    assert not [tag for tag in tags if "cp313t" in tag]


def test_what_is_no_glibc_is_not_known() -> None:
    assert target.of(MAC, "linux/amd64", "1").glibc == 0
