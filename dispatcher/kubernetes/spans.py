"""Sets of indexes as a Job's status writes them: "1,3-5,7". Pure."""

from __future__ import annotations


def parse(text: str | None) -> frozenset[int]:
    """The indexes that `text` stands for (batch/v1, JobStatus.completedIndexes)."""
    found: set[int] = set()
    for part in filter(None, (text or "").split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
