from __future__ import annotations

import tarfile
from collections.abc import Callable

import pytest

from packer.bases import comparison
from packer.bases.comparison import Difference
from packer.digest import Digest
from packer.errors import LayoutDamaged
from packer.images.layout import Layout
from tests.unit.packer.bases.conftest import member

FILE = member("etc/a", b"one", mode=0o644)


def differences(layout: Layout, first: Digest, second: Digest) -> list[tuple[str, str, str]]:
    found = comparison.compare((layout, first), (layout, second))
    assert not found.same
    return [(each.where, each.what, each.why) for each in found.differences]


def test_the_same_image_is_not_even_read(layout: Layout) -> None:
    digest = Digest.of(b"nothing")
    assert comparison.compare((layout, digest), (layout, digest)).same


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (member("etc/a", b"two"), "content 7692c3ad3540 against 3fc4ccfe7458"),
        (member("etc/a", b"one", mode=0o600), "mode 0644 against 0600"),
        (member("etc/a", b"one", uid=7), "owner 0:0 against 7:0"),
        (member("etc/a", b"one", mtime=9), "modified 0 against 9"),
        (member("etc/a", type=tarfile.SYMTYPE, linkname="b"), "a file against a symbolic link"),
    ],
)
def test_a_path_and_how_it_differs(
    layout: Layout, image: Callable[..., Digest], other, why: str
) -> None:
    found = differences(layout, image(FILE), image(other))
    assert found == [("layer 1", "etc/a", why)]


def test_paths_of_one_side_alone(layout: Layout, image: Callable[..., Digest]) -> None:
    found = differences(layout, image(FILE), image(member("etc/b", b"one")))
    assert found == [
        ("layer 1", "etc/a", "only in the first"),
        ("layer 1", "etc/b", "only in the second"),
    ]


def test_the_same_files_compressed_otherwise(layout: Layout, image: Callable[..., Digest]) -> None:
    data = member("etc/a", b"one" * 1000)
    found = differences(layout, image(data), image(data, level=0))
    assert found == [
        ("layer 1", "", "the same files, compressed otherwise: another version of the builder")
    ]


def test_another_order(layout: Layout, image: Callable[..., Digest]) -> None:
    files = [member("a", b"1"), member("b", b"2")]
    found = differences(layout, image(*files), image(*files[::-1]))
    assert found == [("layer 1", "", "the same entries stand in another order")]


def test_a_field_of_the_config(layout: Layout, image: Callable[..., Digest]) -> None:
    found = comparison.compare(
        (layout, image(FILE, User="1")), (layout, image(FILE, User="2"))
    ).differences
    assert found == (Difference(where="config", what="config.User", why="'1' against '2'"),)


def test_a_layer_that_cannot_be_read_is_said_so(
    layout: Layout, image: Callable[..., Digest]
) -> None:
    first, second = image(FILE), image(member("etc/a", b"two"))
    for path in (layout.root / "blobs" / "sha256").iterdir():
        if path.read_bytes()[:2] == b"\x1f\x8b":
            path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(LayoutDamaged):
        comparison.compare((layout, first), (layout, second))
