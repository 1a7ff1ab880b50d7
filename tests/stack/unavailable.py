"""Why the stack, or a part of it, can't be had on this machine."""

from __future__ import annotations


class Unavailable(Exception):
    """A program or server can't be had here; the message is the reason, fit for a skipped test."""
