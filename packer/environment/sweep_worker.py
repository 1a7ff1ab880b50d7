"""One look at each of many files. Runs by itself in another process: standard library only.

`python sweep_worker.py MARKS FIRST LAST` ends with 0 where the paths FIRST to LAST of the file
MARKS are as they were, else with 3. The file: the number of paths (8 bytes, little-endian), three
8-byte numbers for each (machine order), then the paths with a zero byte between.
"""

from __future__ import annotations

import os
import sys
from array import array

FACTS = 3
GONE = (-1, -1, -1)
CHANGED = 3
_NUMBER = 8


def look(paths: list[bytes]) -> array[int]:
    """Of each path: mtime in nanoseconds, size, inode; -1 three times where there is none."""
    facts = array("q")
    stat, take = os.stat, facts.extend
    for path in paths:
        try:
            status = stat(path)
        except (OSError, ValueError):
            take(GONE)
        else:
            take((status.st_mtime_ns, status.st_size, status.st_ino))
    return facts


def pack(paths: list[bytes], facts: array[int]) -> bytes:
    """The content of a file of marks."""
    return len(paths).to_bytes(_NUMBER, "little") + facts.tobytes() + b"\0".join(paths)


def count(marks: str) -> int:
    """How many paths a file of marks has.

    Raises:
        ValueError: none, which is what a crash of the machine may leave.
    """
    with open(marks, "rb") as file:  # noqa: PTH123 (pathlib is not needed here)
        head = file.read(_NUMBER)
    if len(head) < _NUMBER or not any(head):
        raise ValueError(marks)
    return int.from_bytes(head, "little")


def paths(marks: str) -> list[bytes]:
    """All paths of a file of marks."""
    with open(marks, "rb") as file:  # noqa: PTH123
        content = file.read()
    total = int.from_bytes(content[:_NUMBER], "little")
    return content[_NUMBER + _NUMBER * FACTS * total :].split(b"\0")


def unchanged(marks: str, first: int, last: int) -> bool:
    """Whether the paths `first` to `last` are as the marks say."""
    with open(marks, "rb") as file:  # noqa: PTH123
        content = file.read()
    total = int.from_bytes(content[:_NUMBER], "little")
    start = _NUMBER + _NUMBER * FACTS * first
    known = content[start : start + _NUMBER * FACTS * (last - first)]
    paths = content[_NUMBER + _NUMBER * FACTS * total :].split(b"\0")[first:last]
    return look(paths).tobytes() == known


if __name__ == "__main__":
    sys.exit(0 if unchanged(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) else CHANGED)
