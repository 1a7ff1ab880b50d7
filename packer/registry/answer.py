"""What a registry answered, and which error it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from packer.registry.errors import (
    AnswerUnreadable,
    RegistryError,
    RegistryReadOnly,
    RegistryRefused,
)

PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another attempt may better."""

_METHOD_NOT_ALLOWED = 405
_WORDS = 300


class Interrupted(Exception):
    """A request that another attempt may get through."""

    def __init__(self, said: str, *, wait: float = 0.0, connected: bool = True) -> None:
        """`wait` is in seconds and what the registry asks for."""
        super().__init__(said)
        self.said, self.wait, self.connected = said, wait, connected


class Answer(NamedTuple):
    """A whole answer."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    """Their names in any case."""
    data: bytes = b""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors of its body (distribution-spec, "Error Codes")."""
        try:
            errors = json.loads(self.data)["errors"]
        except (ValueError, KeyError, TypeError):
            return []
        return [each for each in errors or () if isinstance(each, dict)]

    @property
    def codes(self) -> tuple[str, ...]:
        """Their codes."""
        return tuple(str(each.get("code", "")) for each in self.errors)

    @property
    def said(self) -> str:
        """The registry's own words, in one line."""
        words = "; ".join(filter(None, (_words(each) for each in self.errors)))
        text = words or self.data[:_WORDS].decode(errors="replace")
        return " ".join(f"{self.status} {text}".split())[:_WORDS]

    def json(self) -> Any:
        """Its body.

        Raises:
            AnswerUnreadable
        """
        try:
            return json.loads(self.data)
        except ValueError as error:
            raise AnswerUnreadable(self.url, f"{self.method}: {error}") from error


def refusal(answer: Answer, where: str, asked: str) -> RegistryError:
    """The error for an answer that nobody waits for; 401 and 403 were told apart before."""
    if answer.status == _METHOD_NOT_ALLOWED:
        return RegistryReadOnly(where, answer.said)
    return RegistryRefused(where, asked, answer.status, answer.said)


def _words(error: dict[str, Any]) -> str:
    code, message = error.get("code", ""), error.get("message", "")
    detail = error.get("detail")
    shown = detail if isinstance(detail, str) else json.dumps(detail) if detail else ""
    return " ".join(filter(None, (f"{code}:", message, shown)))
