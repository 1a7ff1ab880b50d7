"""Folders that a command may write to: code of an image, copied, and removed afterwards."""

from __future__ import annotations

import os


def copy(source: str, target: str) -> None:
    """Copy a folder into another, over what is there.

    Raises:
        OSError: among others, no room.
    """
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                copy(entry.path, path)
            elif entry.is_symlink():
                os.symlink(os.readlink(entry.path), path)
            else:
                copy_file(entry.path, path)


def copy_file(source: str, target: str) -> None:
    """Copy a regular file; whether it is executable is kept, and no more of its mode.

    Raises:
        OSError: among others, no room.
    """
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(reading)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(target, flags, 0o600)
        try:
            # Independent of the umask.
            os.fchmod(writing, 0o755 if status.st_mode & 0o100 else 0o644)
            left = status.st_size
            while left:
                left -= os.sendfile(writing, reading, None, left)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def remove(folder: str) -> None:
    """Remove a folder, read-only ones in it too; nothing where it is not there."""
    import shutil

    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(f"{parent}/{name}"):
                os.chmod(f"{parent}/{name}", 0o700)
    shutil.rmtree(folder, ignore_errors=True)
