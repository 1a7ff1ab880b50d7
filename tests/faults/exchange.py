"""What the proxy remembers of each request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.faults.faults import Fault

_KEPT = 1 << 16


@dataclass
class Exchange:
    """One request and what came of it. `status` is what the client saw, 0 for nothing."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    """Of the request, names in lower case."""
    body: bytes = b""
    """The first 64 KiB of the request's body, as they lay on the wire."""
    status: int = 0
    up: int = 0
    """Bytes of the request that were read: head and body."""
    down: int = 0
    """Bytes of the answer that the client was given."""
    fault: Fault | None = None
    ended: bool = False
    began: float = field(default_factory=time.monotonic)
    answered: float = 0.0
    """When the client was given the first byte of its answer, or the connection ended."""

    def answer(self) -> None:
        """The client's waiting is over."""
        self.answered = self.answered or time.monotonic()

    def read(self, piece: bytes) -> None:
        """Count a piece of the request's body, and keep its beginning."""
        self.up += len(piece)
        if len(self.body) < _KEPT:
            self.body += piece[: _KEPT - len(self.body)]
