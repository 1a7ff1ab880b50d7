from __future__ import annotations

import pytest

from packer.building import choice
from packer.building.choice import Choice
from packer.buildkit.errors import BuilderInvalid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Choice()),
        ("native", Choice(runs=False)),
        ("buildkit", Choice(whole=True)),
        ("docker", Choice(address="docker")),
        ("unix:///run/b.sock", Choice(address="unix:///run/b.sock")),
        ("buildkit+docker", Choice(whole=True, address="docker")),
        ("buildkit+unix:///b", Choice(whole=True, address="unix:///b")),
    ],
)
def test_a_setting_says_who_builds_what(text: str, expected: Choice) -> None:
    assert choice.parse(text) == expected


@pytest.mark.parametrize("text", ["kaniko", "buildkit+kaniko", "buildkits", "native+docker"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BuilderInvalid):
        choice.parse(text)
