"""The known word that a mistyped one most likely meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word most like `word`; empty where none is.

    `cutoff` is the least likeness that counts, from 0 to 1 (difflib's ratio).
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=cutoff)), "")
