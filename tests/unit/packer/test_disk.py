from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from packer import disk
from packer.errors import DiskFull


def test_a_replaced_file_has_the_new_content(tmp_path: Path):
    path = tmp_path / "deep" / "file"
    disk.replace(path, b"old")
    disk.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert not list((path.parent / ".incoming").iterdir())


def test_a_full_disk_is_called_by_its_name(tmp_path: Path):
    with pytest.raises(DiskFull) as caught, disk.room("a file", tmp_path / "not" / "there"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.code == "DISK_FULL"
    assert caught.value.free > 0
    assert "a file" in caught.value.what()


def test_other_errors_pass(tmp_path: Path):
    with pytest.raises(PermissionError), disk.room("a file", tmp_path):
        raise PermissionError


def test_a_device_without_room_leaves_nothing(tmp_path: Path):
    def write() -> None:
        with Path("/dev/full").open("wb") as full, disk.Incoming(tmp_path).file() as (stream, _):
            os.dup2(full.fileno(), stream.fileno())
            stream.write(bytes(10))

    with pytest.raises(OSError, match="No space left"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_lock_keeps_others_out(tmp_path: Path):
    with disk.locked(tmp_path / "lock"):
        child = os.fork()
        if not child:
            import fcntl

            descriptor = os.open(tmp_path / "lock", os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
