from __future__ import annotations

import pytest

from packer.wheels import source_archives
from packer.wheels.index_sources import IndexSources

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


def test_indexes_are_asked_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    sources = IndexSources(
        variables={"UV_INDEX": "torch=https://t.example/simple", "UV_DEFAULT_INDEX": "https://d"}
    )
    assert source_archives._indexes(sources, {}) == ["https://t.example/simple", "https://d"]
    assert source_archives._indexes(IndexSources(), {}) == ["https://pypi.org/simple"]
    assert source_archives._indexes(IndexSources(no_index=True), {}) == []
