from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher import runner_libraries
from packer.environment import target
from packer.environment.lock import WheelPin
from packer.layers import library_layers
from packer.wheels import wheel_choice
from packer.wheels.errors import WheelUnavailable
from tests.described import description

MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def tags(minor: str, platform: str, glibc: str = "") -> tuple[str, ...]:
    interpreter = description.environment("macos-arm64").interpreter
    return target.of(replace(interpreter, version=f"{minor}.0"), platform, glibc).tags


def pin(filename: str) -> WheelPin:
    name, version, *_ = filename.split("-")
    return WheelPin(name=name, version=version, filename=filename, sha256="0" * 64, size=1)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
@pytest.mark.parametrize("glibc", ["", "2.17", "2.41"])
def test_the_runners_pins_serve_every_image(minor: str, platform: str, glibc: str):
    pins = library_layers.read(runner_libraries.pins())
    found = wheel_choice.by_tags(pins, tags(minor, platform, glibc))
    names = [each.name for each in found]
    assert {"minio", "urllib3", "certifi"} <= set(names)
    assert names == sorted({each.name for each in pins})


def test_the_best_tag_wins():
    plain, fast = pin("a-1-py3-none-any.whl"), pin("a-1-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert wheel_choice.by_tags([plain, fast], tags("3.11", "linux/amd64")) == (fast,)
    assert wheel_choice.by_tags([plain, fast], tags("3.12", "linux/amd64")) == (plain,)


def test_a_name_without_a_wheel_is_told():
    only = pin("a-1-cp311-cp311-manylinux_2_17_x86_64.whl")
    with pytest.raises(WheelUnavailable, match="a could not be fetched"):
        wheel_choice.by_tags([only], tags("3.12", "linux/amd64"))
