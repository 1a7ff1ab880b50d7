from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from packer.project import listing

NAMES = st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name)
SHA256 = "0123456789abcdef" * 4


def test_the_form_is_fixed(golden):
    heads = {
        b"b.py": listing.file_head(3, SHA256, executable=False),
        b"a/run.sh": listing.file_head(70_000, SHA256, executable=True),
        b"a b": listing.link_head(b"to a/run.sh"),
        b"empty": listing.DIRECTORY,
    }
    golden("listing.txt", listing.join(heads).replace(b"\0", b"\0\n"))


@given(st.dictionaries(NAMES, NAMES | st.none()))
def test_any_names_and_targets_come_back(tree: dict[bytes, bytes | None]):
    heads = {
        path: listing.DIRECTORY if target is None else listing.link_head(target)
        for path, target in tree.items()
    }
    found = listing.entries(listing.join(heads))
    assert [(each.path, each.target) for each in found] == [
        (os.fsdecode(path), os.fsdecode(tree[path] or b"")) for path in sorted(tree)
    ]


@given(NAMES, st.integers(min_value=0), st.booleans())
def test_files_come_back(path: bytes, size: int, executable: bool):
    head = listing.file_head(size, SHA256, executable=executable)
    (found,) = listing.entries(listing.join({path: head}))
    assert found.path == os.fsdecode(path)
    assert (found.size, found.sha256) == (size, SHA256)
    assert found.kind == ("executable" if executable else "file")


def test_what_is_shown_is_one_valid_line():
    assert listing.shown(b"a\xff\n\x1b[31m\xc3\xbc") == "a\\xff\\n\\x1b[31mü"
