"""How long a server asks its clients to wait (RFC 9110, section 10.2.3)."""

from __future__ import annotations


def seconds(header: str) -> float:
    """What a Retry-After header says, a number or a date; 0 where it says nothing."""
    value = header.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    if not value:
        return 0.0
    import time
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
