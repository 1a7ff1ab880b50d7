"""Read-only mounts: what is shared between runs can't be written, not even by root.

File modes stop everybody but root. Where this process may make a mount namespace (it is root, in
no narrow container), it gets one of its own, in which the shared folders are mounted read-only;
whatever it starts is in it too, and the rest of the machine sees nothing of it. That costs about
a millisecond a run.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_SLAVE = 1, 32, 4096, 16384, 1 << 19


def protect(folders: Sequence[str]) -> bool:
    """Make the folders read-only for this process and its children; False where it may not."""
    if os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        return False
    # What the machine mounts later still appears here; what is mounted here stays here.
    libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None)
    done = [_read_only(libc, os.fsencode(folder)) for folder in folders]
    return all(done)


def _read_only(libc: ctypes.CDLL, folder: bytes) -> bool:
    if libc.mount(folder, folder, None, _MS_BIND, None):
        return False
    return bool(libc.mount(None, folder, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None) == 0)
