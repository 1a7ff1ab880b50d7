"""Single patterns; test_ignore.py compares whole trees with git."""

from __future__ import annotations

import re

import pytest

from packer.project import wildmatch


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a/b.py", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a**b", "axb", True),
        ("a**b", "a/b", False),
        ("**/a", "x/y/a", True),
        ("a/**", "a/x/y", True),
        ("a/**", "a", False),
        ("[]-a]", "]", True),
        ("[!a-c]", "d", True),
        ("[!a-c]", "/", False),
        ("[[:digit:]_]", "7", True),
        ("[[:none:]]", "n", False),
        ("[a", "[a", False),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("a\\", "a\\", False),
        ("?", "\n", True),
        ("*", "a\n", True),
    ],
)
def test_a_glob_matches_as_in_git(glob: str, path: str, *, matches: bool):
    regex = re.compile(wildmatch.translate(glob.encode()), re.DOTALL)
    assert bool(regex.fullmatch(path.encode())) is matches


def test_a_byte_is_a_letter():
    assert re.fullmatch(wildmatch.translate(b"caf?"), b"caf\xe9")
    assert not re.fullmatch(wildmatch.translate(b"caf?"), "café".encode())
