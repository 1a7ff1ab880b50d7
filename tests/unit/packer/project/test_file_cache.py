from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from packer.project import file_cache
from packer.project.file_cache import Directory, FileCache, Known

SECOND = 1_000_000_000


def state(path: Path, *, changed: int) -> os.stat_result:
    fields = list(path.stat())
    return os.stat_result(fields, {"st_mtime_ns": changed, "st_ctime_ns": changed})


@pytest.mark.parametrize(
    ("changed", "read", "trusted"),
    [
        (5 * SECOND + 123_456, 5 * SECOND + 200_000, False),
        (5 * SECOND + 123_456, 6 * SECOND, True),
        # A file system that keeps whole seconds.
        (5 * SECOND, 6 * SECOND, False),
        (5 * SECOND, 8 * SECOND, True),
        # A clock that was set back.
        (9 * SECOND + 123_456, 5 * SECOND, False),
    ],
)
def test_what_could_change_under_the_same_stamps_is_not_trusted(
    tmp_path: Path, changed: int, read: int, *, trusted: bool
):
    (tmp_path / "a").write_text("a")
    status = state(tmp_path / "a", changed=changed)
    assert file_cache.known(status, b"head", read).matches(status) is trusted


def test_what_is_saved_comes_back(tmp_path: Path):
    project = tmp_path / "project"
    directories = {
        b"": Directory(b"rules", {b"\xff": Known(1, 2, 3, 4, b"head"), b"out": "freason"}),
        b"a": Directory(b"rules", {}),
    }
    FileCache(tmp_path / "cache", project).save(directories)
    assert FileCache(tmp_path / "cache", project).directories == directories
    assert FileCache(tmp_path / "cache", tmp_path / "other").directories == {}


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgspec.msgpack.encode([1, {}])[:-1], msgspec.msgpack.encode([99, {}])]
)
def test_another_form_is_nothing(tmp_path: Path, data: bytes):
    FileCache(tmp_path, tmp_path).save({b"": Directory(b"", {})})
    (saved,) = (path for path in tmp_path.iterdir() if path.is_file())
    saved.write_bytes(data)
    assert FileCache(tmp_path, tmp_path).directories == {}
