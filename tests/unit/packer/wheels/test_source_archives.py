"""Source archives of an index: which file is the one, and whom to ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from packer.wheels import source_archives
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources
from tests.indexes import Indexes, sha256

SHA = "a" * 64


def test_a_page_lists_files_with_their_hashes() -> None:
    page = (
        f'<a href="../../files/a%2Bb-1.tar.gz#sha256={SHA}" data-requires-python="&gt;=3">a</a>'
        '<a href="no-hash-1.tar.gz">b</a><a name="top">c</a>'
        f'<a href="https://u:p@h.example/c-1.zip#sha256={SHA}">c</a>'
    )
    found = list(source_archives.listed(page, "https://i.example/simple/a/"))
    assert [(each.filename, each.url) for each in found] == [
        ("a+b-1.tar.gz", "https://i.example/files/a%2Bb-1.tar.gz"),
        ("c-1.zip", "https://h.example/c-1.zip"),
    ]
    assert all(each.sha256 == SHA for each in found)


@pytest.mark.parametrize(
    ("filename", "version", "expected"),
    [
        ("foo_bar-1.0.tar.gz", "1.0", True),
        ("Foo.Bar-1.0.zip", "1", True),
        ("foo-bar-1.0.tar.gz", "1.0.1", False),
        ("foo-bar-extra-1.0.tar.gz", "1.0", False),
        ("foo_bar-1.0-py3-none-any.whl", "1.0", False),
    ],
)
def test_names_and_versions_are_compared_as_packaging_does(
    filename: str, version: str, expected: bool
) -> None:
    assert source_archives._is_of(filename, "foo-bar", version) is expected


@pytest.fixture
def indexes() -> Iterator[Indexes]:
    with Indexes() as served:
        yield served


def sources(served: Indexes, *folders: str) -> IndexSources:
    return IndexSources(indexes=tuple(f"{served.url}/{each}" for each in folders))


def test_indexes_are_asked_in_turn(indexes: Indexes) -> None:
    for folder in ("private", "public"):
        indexes.add(folder, "foo-1.0.tar.gz", folder.encode())
    found = source_archives.find("foo", "1.0", sources(indexes, "none", "private", "public"))
    assert found
    assert found.url == f"{indexes.url}/private/foo-1.0.tar.gz"
    assert found.sha256 == sha256(b"private")
    assert source_archives.find("foo", "1.1", sources(indexes, "private", "public")) is None
    assert source_archives.find("foo", "1.0", IndexSources()) is None


@pytest.mark.parametrize("trouble", ["failing", "login"])
def test_what_one_index_does_not_tell_no_other_is_asked_for(indexes: Indexes, trouble: str) -> None:
    indexes.add("public", "foo-1.0.tar.gz", b"another's")
    indexes.add("private", "foo-1.0.tar.gz", b"mine")
    if trouble == "failing":
        indexes.failing.add("private/foo")
    else:
        indexes.logins["private"] = "me:word"
    with pytest.raises(WheelUnavailable, match=r"^foo could not be fetched: .* answered (503|401)"):
        source_archives.find("foo", "1.0", sources(indexes, "private", "public"))
    assert not [each for each in indexes.asked if "public" in each]


def test_a_distribution_of_one_index_is_looked_for_there_alone(indexes: Indexes) -> None:
    indexes.add("public", "foo-1.0.tar.gz", b"another's")
    indexes.add("private", "foo-2.0.tar.gz", b"mine")
    chosen = replace(
        sources(indexes, "public"), chosen={"foo": (indexes.url + "/private",), "bar": ()}
    )
    assert source_archives.find("foo", "1.0", chosen) is None
    assert source_archives.find("Foo", "2.0", chosen)
    assert not [each for each in indexes.asked if "public" in each]
