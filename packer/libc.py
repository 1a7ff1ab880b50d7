"""The C library, for calls of the kernel that Python has no name for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes


@cache
def libc() -> ctypes.CDLL:
    """The one that this process has loaded anyhow."""
    import ctypes

    found = ctypes.CDLL(None)
    # Without that an address would be cut to an int.
    found.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return found
