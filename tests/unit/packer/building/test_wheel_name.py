from __future__ import annotations

import pytest

from packer.building import wheel_name
from packer.building.errors import SourceUnusable
from packer.building.source import Source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def source(version: str) -> Source:
    return Source(name="odd-thing", version=version, url="https://g.example/odd", commit=COMMIT)


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "v1"])
def test_the_same_version_may_be_written_in_several_ways(version: str) -> None:
    wheel_name.require("Odd.Thing-1.0-cp311-cp311-linux_x86_64.whl", source(version))


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("odd_thing-0+unknown-cp311-cp311-linux_x86_64.whl", "1.0"),
        ("odd_thing-1.0+local-py3-none-any.whl", "1.0"),
        ("other-1.0-py3-none-any.whl", "1.0"),
        ("odd_thing.whl", "1.0"),
        ("odd_thing-1.0-py3-none-any.whl", "of long ago"),
    ],
)
def test_a_wheel_of_something_else_is_refused(filename: str, version: str) -> None:
    with pytest.raises(SourceUnusable) as refused:
        wheel_name.require(filename, source(version))
    assert filename in refused.value.why()
    assert f"odd-thing {version}" in refused.value.why()
