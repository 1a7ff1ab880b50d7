"""What can go wrong between a client and a server, each as a value for `Proxy.on`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Fault:
    """What becomes of one request."""


@dataclass(frozen=True)
class Answer(Fault):
    """The proxy answers. The server never hears of the request, unless `forwarded`: then it has
    done what was asked, and only its answer is replaced. With `cut` the connection ends there:
    before the end of the body, where its Content-Length says more.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    forwarded: bool = False
    cut: bool = False


@dataclass(frozen=True)
class CutRequest(Fault):
    """Both connections end once the server was given `after` bytes of the request's body."""

    after: int = 0


@dataclass(frozen=True)
class CutAnswer(Fault):
    """Both connections end once the client was given `after` bytes of the answer's body."""

    after: int = 0


@dataclass(frozen=True)
class LoseAnswer(Fault):
    """The server does what was asked and answers; the client sees its connection end instead."""


@dataclass(frozen=True)
class BlackHole(Fault):
    """The request goes nowhere, no answer comes, and the connection stays open."""


@dataclass(frozen=True)
class Stall(Fault):
    """After `after` bytes of the answer's body nothing more comes; the connection stays open."""

    after: int = 0


@dataclass(frozen=True)
class Delay(Fault):
    """The request waits so many seconds, then all is well."""

    seconds: float


@dataclass(frozen=True)
class Slow(Fault):
    """Bodies pass with so many bytes a second, in both directions."""

    rate: float


@dataclass(frozen=True)
class Alter(Fault):
    """One byte of the answer's body, at offset `at`, arrives as another."""

    at: int = 0


@dataclass(frozen=True)
class Extra(Fault):
    """The server's answer has these headers besides its own."""

    headers: Mapping[str, str]
