"""What this process's allocator keeps."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

_LARGEST = 31 << 20
"""Bytes of the largest block that is kept: more than any piece of a layer."""


@cache
def keep() -> None:
    """Have one large block freed: until it has seen that, glibc gives memory back to the kernel
    after every piece (mallopt(3), "dynamic mmap threshold"), and new pages cost more than hashing.

    What is read into is not touched before, as the pages of a `bytearray` are.
    """
    # Where memory is that scarce (setrlimit(2)), pieces are given back.
    with suppress(MemoryError), Path(os.devnull).open("rb", buffering=0) as nothing:
        os.read(nothing.fileno(), _LARGEST)
