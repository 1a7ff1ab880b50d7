"""How far it is with images for nodes ahead of time, as people and machines are told."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sendoff.quantities import show_duration, show_size
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.prewarm_sight import Warmth
    from dispatcher.kubernetes.prewarming import Prewarming

HEADER = ("class", "node", "image", "state", "for", "size")
_PERIOD, _REST = 0.5, 4
"""Seconds between looks at least; and how many times as long as a look took."""
_CONTROLLER = 10.0
"""Seconds after which a controller has surely made pods, if any node is to have one."""


def cluster(session: Session) -> Prewarming:
    """What is pre-warmed in the session's namespace."""
    from dispatcher.kubernetes.client import Client
    from dispatcher.kubernetes.prewarming import Prewarming

    settings = session.cluster()
    return Prewarming(Client(settings), settings)


def follow(warming: Prewarming, names: Sequence[str], patience: float) -> Iterator[list[Warmth]]:
    """How far it is, again and again until every node is done or given up, or time is up.

    `patience` is in seconds.
    """
    from dispatcher.kubernetes.prewarm_sight import settled

    began = time.monotonic()
    while True:
        looked = time.monotonic()
        lines = warming.look(names)
        yield lines
        now = time.monotonic()
        # The objects were made a moment ago, and their controller may not have seen them yet.
        fresh = not lines and now - began < _CONTROLLER
        if (not fresh and settled(lines, warming.now())) or now - began >= patience:
            return
        time.sleep(max(_PERIOD, _REST * (now - looked)))


def row(line: Warmth, now: float) -> list[str]:
    """A line below `HEADER`."""
    from dispatcher.kubernetes.trouble import seconds

    age = show_duration(max(0.0, now - seconds(line.since))) if line.since else "-"
    digest = line.image.digest.rpartition(":")[2][:12]
    image = f"{line.image.title}@{digest}" if digest else line.image.title
    code = f" ({line.trouble.failure.code})" if line.trouble else ""
    size = line.size or line.image.size
    return [line.prewarm, line.node, image, line.state + code, age, show_size(size)]


def document(line: Warmth) -> dict[str, Any]:
    """The same for a machine."""
    from msgspec import to_builtins

    return {
        "class": line.prewarm,
        "node": line.node,
        "image": line.image.reference,
        "title": line.image.title,
        "state": line.state,
        "since": line.since,
        "size": line.size or line.image.size,
        "failure": to_builtins(line.trouble.failure) if line.trouble else None,
    }


def remedies(lines: Sequence[Warmth]) -> list[str]:
    """What is wrong and what to do, each once."""
    failures = (line.trouble.failure for line in lines if line.trouble)
    told = {
        f"{each.message}: {each.evidence[-1] if each.evidence else '-'}; do: {each.fix}"
        for each in failures
    }
    return sorted(told)
