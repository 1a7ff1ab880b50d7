from __future__ import annotations

import pytest

from packer.building import image_settings
from packer.building.image_settings import ImageSettings


def test_a_table_is_read() -> None:
    found = image_settings.read(
        {
            "apt": ["libpq5", "g++", "libc6:amd64", "curl=7.88.1-10+deb12u8"],
            "run": ["make"],
            "build-apt": ["libpq-dev"],
            "secrets": ["TOKEN"],
            "cache": "registry.example/cache",
        }
    )
    assert found.apt[0] == "libpq5"
    assert (found.run, found.build_apt, found.secrets) == (("make",), ("libpq-dev",), ("TOKEN",))
    assert found.extends
    assert not image_settings.read({"build-apt": ["gcc"]}).extends
    assert image_settings.read({}) == ImageSettings()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "not a table"),
        ({"pip": []}, "there is no 'pip'"),
        ({"apt": "curl"}, "not a list"),
        ({"apt": ["curl; rm -rf /"]}, "no name of a Debian package"),
        ({"build-apt": ["--force-yes"]}, "no name of a Debian package"),
        ({"secrets": ["A=B"]}, "no name of an environment variable"),
        ({"cache": 1}, "not text"),
    ],
)
def test_what_is_wrong_with_one_is_said(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        image_settings.read(value)
