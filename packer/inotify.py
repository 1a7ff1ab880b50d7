"""The kernel's word that nothing was changed in a directory (inotify(7))."""

from __future__ import annotations

import os
import select
from collections.abc import Collection

from packer.libc import libc

# All that changes content, names or attributes: a file's time may be set back after a write.
_EVENTS = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
_ONLYDIR, _DONT_FOLLOW = 0x0100_0000, 0x0200_0000
_CLOEXEC_NONBLOCK = os.O_CLOEXEC | os.O_NONBLOCK

_TELLING = frozenset({b"ext2", b"ext3", b"ext4", b"xfs", b"btrfs", b"tmpfs", b"overlay", b"f2fs"})
"""File systems that only this kernel writes to: of another's writes nobody would tell."""


def instance() -> int:
    """A descriptor that tells of what is watched; forks have it too.

    Raises:
        OSError: the kernel has none to give.
    """
    made: int = libc().inotify_init1(_CLOEXEC_NONBLOCK)
    if made < 0:
        raise OSError("inotify_init1")
    return made


def watch(instance: int, directories: Collection[bytes]) -> bool:
    """Watch what is in these directories from now on; False where the kernel can't tell of all.

    Raises:
        OSError: one of them is not there.
    """
    if not _are_told_of(directories):
        return False
    add = libc().inotify_add_watch
    flags = _EVENTS | _ONLYDIR | _DONT_FOLLOW
    return all(add(instance, path, flags) >= 0 for path in directories)


def is_quiet(instance: int) -> bool:
    """Whether nothing has happened since the watch began. It is not read: it tells forks too."""
    waiting = select.poll()
    waiting.register(instance, select.POLLIN)
    return not waiting.poll(0)


def _are_told_of(directories: Collection[bytes]) -> bool:
    """Whether the kernel tells of each write to them (proc(5), mountinfo)."""
    with open("/proc/self/mountinfo", "rb") as file:  # noqa: PTH123 (bytes)
        lines = [line.split() for line in file]
    kinds = {line[2]: line[line.index(b"-") + 1] for line in lines}
    devices = {os.stat(directory).st_dev for directory in directories}  # noqa: PTH116 (bytes)
    return all(
        kinds.get(b"%d:%d" % (os.major(device), os.minor(device))) in _TELLING for device in devices
    )
