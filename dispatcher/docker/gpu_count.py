"""How many GPUs a class expression asks of one machine."""

from __future__ import annotations


def gpu_count(expression: str) -> int:
    """The count of the first alternative: 2 of "h100:2,a100-80gb:4", 0 of "" and "cpu".

    Raises:
        ValueError: it is no count.
    """
    first = expression.partition(",")[0].strip()
    name, colon, count = first.rpartition(":")
    if first in {"", "cpu"}:
        return 0
    return int(count) if colon and name and count.isdigit() else 1
