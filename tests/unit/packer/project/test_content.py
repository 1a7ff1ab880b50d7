from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from packer.project import content, listing


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000])
def test_a_file_is_read_to_its_end(tmp_path: Path, size: int):
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    found = content.read(os.fsencode(tmp_path / "a"))
    sha256 = hashlib.sha256(data).hexdigest()
    assert found.head == listing.file_head(size, sha256, executable=False)


@pytest.mark.parametrize(
    ("name", "text", "private"),
    [
        ("id", "-----BEGIN RSA PRIVATE KEY-----\n", True),
        ("chain.pem", "text\n-----BEGIN EC PRIVATE KEY-----\n", True),
        ("server.key", "\n-----BEGIN PRIVATE KEY-----\n", True),
        ("notes.md", "text\n-----BEGIN EC PRIVATE KEY-----\n", False),
        ("public.pem", "-----BEGIN PUBLIC KEY-----\n", False),
    ],
)
def test_private_keys_are_known_by_their_content(
    tmp_path: Path, name: str, text: str, *, private: bool
):
    (tmp_path / name).write_text(text)
    assert content.read(os.fsencode(tmp_path / name)).is_private_key is private


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        content.read(os.fsencode(tmp_path / "a"))
