from __future__ import annotations

import pytest

from packer.layers.confinement import inside, leads_out


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "a/b"),
        ("./a//b/", "a/b"),
        ("a/..b", "a/..b"),
        (".", ""),
        ("/a", None),
        ("a/../b", None),
        ("..", None),
        ("a\0b", None),
    ],
)
def test_names(name: str, path: str | None) -> None:
    assert inside(name) == path


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a/link", "b", False),
        ("a/link", "../b", False),
        ("a/b/link", "../../c/../d", False),
        ("link", "..", True),
        ("a/link", "../../b", True),
        ("a/link", "b/../../../c", True),
        ("a/link", "../../a/b", True),
        ("a/link", "/etc", True),
        ("a/link", "", True),
    ],
)
def test_links(path: str, target: str, out: bool) -> None:
    assert leads_out(path, target) is out
