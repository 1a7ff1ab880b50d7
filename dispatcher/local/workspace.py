"""A fresh working directory for each attempt: the code of the image, copied."""

from __future__ import annotations

import os

from packer.image_paths import EDITABLE, PREFIX, RUNNER, WORKSPACE

_CODE = (WORKSPACE, EDITABLE)


class Workspace:
    """The folder `root` of one attempt; in-image paths below it are as in a container."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.directory = root + WORKSPACE
        """The command's working directory."""
        self.outputs = root + "/outputs"

    def fill(self, layers: list[str], environment: str) -> None:
        """Copy the code out of unpacked layers and link to the environment's root.

        Copied, not linked: the command may write to it.

        Raises:
            OSError: among others, no room.
        """
        for part in _CODE:
            os.makedirs(self.root + part, exist_ok=True)
            for layer in layers:
                if os.path.isdir(layer + part):
                    _copy(layer + part, self.root + part)
        for part in (PREFIX, RUNNER):
            os.symlink(environment + part, self.root + part)
        os.mkdir(self.outputs)


def remove(folder: str) -> None:
    """Remove a folder, read-only ones in it too; nothing where it is not there."""
    import shutil

    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(f"{parent}/{name}"):
                os.chmod(f"{parent}/{name}", 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _copy(source: str, target: str) -> None:
    for entry in os.scandir(source):
        path = f"{target}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            os.makedirs(path, exist_ok=True)
            _copy(entry.path, path)
        elif entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        else:
            _copy_file(entry.path, path)


def _copy_file(source: str, target: str) -> None:
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
