"""What a container runtime says of an image that it could not pull. Pure."""

from __future__ import annotations

import re

_PASSING = re.compile(
    r"\b(?:429|5\d\d)\b|too ?many ?requests|timeout|connection re|\bEOF\b|no such host|dial tcp"
    r"|verification failed for digest",
    re.IGNORECASE,
)


def may_pass(said: str) -> bool:
    """Whether it was trouble on the way, or of the registry: the image may come another time."""
    return bool(_PASSING.search(said))
