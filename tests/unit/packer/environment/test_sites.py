"""Where an installer put files, and where that is in the image."""

from __future__ import annotations

import pytest

from packer.environment.distribution import Distribution
from packer.environment.sites import Sites
from packer.errors import DistUnresolvable

PACKAGES = "lib/python3.11/site-packages"
SITE = "/some/where/" + PACKAGES
SITES = Sites(directories=(SITE,), packages=PACKAGES, roots=())
FOUND = Distribution(name="a-b", version="1", site=SITE, metadata="a_b-1.dist-info")


@pytest.mark.parametrize(
    ("recorded", "path"),
    [
        ("a_b/c.py", f"{PACKAGES}/a_b/c.py"),
        (f"{SITE}/a_b/c.py", f"{PACKAGES}/a_b/c.py"),
        ("../../../bin/a", "bin/a"),
        ("../../../share/a/b", "share/a/b"),
        ("../../../include/site/python3.11/a-b/deep/c.h", "include/site/python3.11/a-b/deep/c.h"),
        ("../../../include/site/python3.11/A.b/c.h", "include/site/python3.11/a-b/c.h"),
        ("../../../include/python3.11/A_B/c.h", "include/site/python3.11/a-b/c.h"),
        ("../../../include/python3.11/other/c.h", "include/python3.11/other/c.h"),
        ("../../../include/a-b/c.h", "include/a-b/c.h"),
    ],
)
def test_what_becomes_of_a_recorded_path(recorded: str, path: str) -> None:
    assert SITES.locate(FOUND, recorded)[0] == path


def test_what_lies_outside_the_prefix_has_no_place() -> None:
    with pytest.raises(DistUnresolvable):
        SITES.locate(FOUND, "../../../../outside")
