"""Images for nodes ahead of time: bases, and the layers that most environments on them share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dispatcher.errors import RegistryNotPullable
from packer.images import popular
from packer.images.base import Base
from packer.progress import SILENT, Progress
from packer.registry.registry import Registry
from sendoff import registries
from sendoff.bases import choice as base_choice
from sendoff.quantities import show_duration, show_size
from sendoff.registries import PLATFORM
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.prewarm import WarmImage
    from dispatcher.kubernetes.prewarm_sight import Warmth
    from dispatcher.kubernetes.prewarming import Prewarming

HEADER = ("class", "node", "image", "state", "for", "size")
_ENVIRONMENT = "env-"
"""What tags of environment images begin with."""
_AT_ONCE = 8
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


def images(
    session: Session, bases: Sequence[str], top: int, progress: Progress = SILENT
) -> list[WarmImage]:
    """The images to pull for these bases, all of them in the repository that runs are pulled from.

    With `top`, for each base one more, of the `top` layers that most environments on it share.

    Raises:
        RegistryNotPullable, BaseMissing, and what `packer.registry` raises.
    """
    if session.embedded:
        raise RegistryNotPullable("kubernetes", session.settings.registry)
    names = [*dict.fromkeys(bases or [base_choice.wanted(session)])]
    registry = registries.own(session)
    found = [base_choice.find(session, name, registry, PLATFORM) for name in names]
    environments = _environments(registry) if top else []
    made = []
    for name, base in zip(names, found, strict=True):
        title, short = name.partition("@")[0].rpartition("/")[2], base.digest.hex[:12]
        registry.adopt(base, f"base-{short}", progress)
        made.append(_warm(session, base, title))
        shared = popular.popular(environments, base, top) if top else ()
        if shared:
            stacked = registry.stack(base, shared, f"warm-{short}", progress)
            made.append(_warm(session, stacked, f"{title}+{len(shared)}"))
    return made


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
    image = f"{line.image.title}@{line.image.digest.rpartition(':')[2][:12]}"
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


def _environments(registry: Registry) -> list[Base]:
    """All environment images of the repository."""
    from concurrent.futures import ThreadPoolExecutor

    tags = [tag for tag in registry.tags() if tag.startswith(_ENVIRONMENT)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = (f"{registry.repository}:{tag}" for tag in tags)
        return list(pool.map(lambda name: registry.base(name, PLATFORM), names))


def _warm(session: Session, base: Base, title: str) -> WarmImage:
    from dispatcher.kubernetes.prewarm import WarmImage

    settings = session.settings
    repository = settings.registry_in_cluster or settings.registry
    return WarmImage(
        reference=f"{repository.partition('://')[2] or repository}@{base.digest}",
        python=base.python,
        title=title,
        size=sum(layer.size for layer in base.layers),
    )
