"""Images for nodes ahead of time: bases, and the layers that most environments on them share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dispatcher.errors import RegistryNotPullable
from packer.images import popular
from packer.images.base import Base
from packer.progress import SILENT, Progress
from packer.record import Record
from sendoff import registries
from sendoff.bases import choice as base_choice
from sendoff.registries import PLATFORM
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.prewarm import WarmImage

_ENVIRONMENT = "env-"
"""What tags of environment images begin with."""
_AT_ONCE = 8


class Asked(Record, frozen=True):
    """What is to be pre-warmed."""

    classes: tuple[str, ...]
    """GPU classes, each by itself: "h100", "cpu"."""
    bases: tuple[str, ...] = ()
    """Names or references; none for that which runs on a class stand on."""
    top: int = 0
    """How many of the layers that most environments on a base share."""


class Stock(Record, frozen=True):
    """What nodes are to have for the runs on one base."""

    title: str
    """What people call the base."""
    base: WarmImage
    shared: WarmImage | None = None
    """The base with the layers that most environments share; None where there are none."""
    complete: bool = True
    """Whether the base has the steps of [tool.sendoff.image], where there are any."""

    @property
    def images(self) -> tuple[WarmImage, ...]:
        """All of them, the base first."""
        return (self.base, self.shared) if self.shared else (self.base,)


def stocks(session: Session, asked: Asked, progress: Progress = SILENT) -> dict[str, list[Stock]]:
    """What the nodes of each class are to have, in the repository that runs are pulled from.

    Raises:
        RegistryNotPullable, BaseMissing, GpuUnknown, and what `packer.registry` raises.
    """
    if session.embedded:
        raise RegistryNotPullable("kubernetes", session.settings.registry)
    named = {
        each: dict.fromkeys(asked.bases or (base_choice.wanted(session, each),))
        for each in asked.classes
    }
    room = _StockRoom(session, asked.top, progress)
    made = {name: room.stock(name) for some in named.values() for name in some}
    return {each: [made[name] for name in some] for each, some in named.items()}


class _StockRoom:
    """Has images in the session's registry."""

    def __init__(self, session: Session, top: int, progress: Progress) -> None:
        self._session, self._top, self._progress = session, top, progress
        self._registry = registries.own(session)

    def stock(self, named: str) -> Stock:
        """Of the base that is called so."""
        base, complete = self._stood_on(named)
        title, short = named.partition("@")[0].rpartition("/")[2], base.digest.hex[:12]
        self._registry.adopt(base, f"base-{short}", self._progress)
        stock = Stock(title=title, base=self._warm(base, title), complete=complete)
        above = popular.popular(self._environments, base, self._top) if self._top else ()
        if not above:
            return stock
        stacked = self._registry.stack(base, above, f"warm-{short}", self._progress)
        return replace(stock, shared=self._warm(stacked, f"{title}+{len(above)}"))

    def _stood_on(self, named: str) -> tuple[Base, bool]:
        """The base as the project's runs stand on it, and whether it has all steps of theirs."""
        base = base_choice.find(self._session, named, self._registry, PLATFORM)
        steps = self._session.settings.image
        if not steps.extends:
            return base, True
        from packer.building import extension

        made = extension.found(base, steps, self._registry)
        return made or base, made is not None

    @cached_property
    def _environments(self) -> list[Base]:
        """All environment images of the repository."""
        from concurrent.futures import ThreadPoolExecutor

        tags = [tag for tag in self._registry.tags() if tag.startswith(_ENVIRONMENT)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            names = (f"{self._registry.repository}:{tag}" for tag in tags)
            return list(pool.map(lambda name: self._registry.base(name, PLATFORM), names))

    def _warm(self, base: Base, title: str) -> WarmImage:
        from dispatcher.kubernetes.prewarm import WarmImage

        settings = self._session.settings
        repository = settings.registry_in_cluster or settings.registry
        return WarmImage(
            reference=f"{repository.partition('://')[2] or repository}@{base.digest}",
            python=base.python,
            title=title,
            size=sum(layer.size for layer in base.layers),
        )
