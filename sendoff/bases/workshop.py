"""Base images as operators make them: what `sendoff base` does, for any front end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packer.bases import catalogue as catalogues
from packer.bases import plan as plans
from packer.bases.build import Workshop, build
from packer.bases.built import BuiltBase, BuiltBases
from packer.bases.catalogue import Catalogue
from packer.bases.errors import BaseNotBuilt
from packer.bases.plan import Target, Wish
from packer.bases.publication import PublishedBase, fetch, publish
from packer.bases.verification import Known, Verified, verify
from packer.digest import Digest
from packer.errors import SendoffError
from packer.images.layout import Layout
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.registry.errors import DigestGone
from packer.workplace import workplace
from sendoff.errors import BasesUnset
from sendoff.registries import bases_repository
from sendoff.session import Session
from sendoff.version import VERSION

_OTHERWISE = "or have somebody build it who has one"


class Bench(Record, frozen=True):
    """What is asked for, and how it is built."""

    wish: Wish
    folder: Path | None = None
    """Of a catalogue of the site's own; None for the one that comes with sendoff."""
    certificates: Path | None = None
    arguments: dict[str, str] = {}
    fresh: bool = False

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue.

        Raises:
            CatalogueMalformed
        """
        return catalogues.load(self.home)

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.folder or catalogues.home()


class Line(Record, frozen=True):
    """One base for one Python, and what became of it so far."""

    name: str
    python: str
    root: str
    about: str
    cuda: str = ""
    driver: str = ""
    built: Digest | None = None
    pushed: Digest | None = None
    reference: str = ""
    """What was pushed, by digest."""


def shelf(session: Session) -> BuiltBases:
    """The bases that were built here."""
    return BuiltBases(session.settings.cache / "bases")


def make(session: Session, bench: Bench, progress: Progress = SILENT) -> tuple[BuiltBase, ...]:
    """Build what is asked for, and what that is built upon, all at once.

    Raises:
        CatalogueMalformed, BaseNotInCatalogue, BaseWithoutPython; and as `build`.
    """
    workshop = _workshop(session, bench)
    targets = plans.plan(workshop.catalogue, bench.wish)
    made = build(workshop, targets, shelf(session), progress)
    chosen = set(plans.wanted(workshop.catalogue, bench.wish))
    return tuple(each for each in made if (each.name, each.python) in chosen)


def push(session: Session, bench: Bench, progress: Progress = SILENT) -> tuple[PublishedBase, ...]:
    """Publish bases that were built here; of all, those that were.

    Raises:
        BasesUnset, BaseNotBuilt; and as `publish`.
    """
    require_prefix(session, bench)
    found = []
    for name, python in plans.wanted(bench.catalogue, bench.wish):
        try:
            found.append(shelf(session).find(name, python))
        except BaseNotBuilt:
            if bench.wish.names:
                raise
    if not found:
        raise BaseNotBuilt("any base")
    return publish_all(session, found, progress)


def publish_all(
    session: Session, built: Sequence[BuiltBase], progress: Progress = SILENT
) -> tuple[PublishedBase, ...]:
    """Publish these.

    Raises:
        As `publish`.
    """
    there = shelf(session)
    return tuple(
        publish(each, there, bases_repository(session, each.name), progress)
        for each in sorted(built, key=lambda each: len(each.layers))
    )


def require_prefix(session: Session, bench: Bench) -> None:
    """See to it that it is said where bases go, before anything is built.

    Raises:
        BasesUnset
    """
    if not session.settings.bases:
        raise BasesUnset(next(iter(bench.wish.names), "cpu"))


def check(session: Session, bench: Bench, progress: Progress = SILENT) -> tuple[Verified, ...]:
    """Build again and compare: with what is pushed where `bases` is set, else with what was built.

    Raises:
        BaseNotBuilt: there is nothing to compare with; and as `verify`.
    """
    workshop = _workshop(session, bench)
    targets = plans.plan(workshop.catalogue, bench.wish)
    chosen = plans.requested(targets, plans.wanted(workshop.catalogue, bench.wish))
    with workplace(session.settings.cache, "the bases to compare with") as folder:
        memory = _Memory(session, folder)
        known: dict[str, Known] = {each.id: memory.known(each) for each in chosen}
        return verify(workshop, targets, known, progress)


def lines(session: Session, bench: Bench) -> tuple[Line, ...]:
    """Every base that is asked for, with its digests here and where bases are.

    Raises:
        CatalogueMalformed, BaseNotInCatalogue, BaseWithoutPython; what `packer.registry` raises.
    """
    catalogue = bench.catalogue
    return tuple(_line(session, catalogue, each) for each in plans.wanted(catalogue, bench.wish))


def document(built: BuiltBase) -> dict[str, Any]:
    """A base that was built, as JSON says it."""
    return {
        "name": built.name,
        "python": built.python,
        "digest": built.digest,
        "size": built.size,
        "layers": built.layers,
        "distribution": built.distribution,
        "packages": {each.name: each.version for each in built.packages},
        "seconds": built.seconds,
    }


class _Memory:
    """What bases are compared with; what has to be read from a registry is read to a folder."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._session, self._shelf, self._folder = session, shelf(session), folder

    def known(self, target: Target) -> Known:
        """What a target is compared with, found before anything is built.

        Raises:
            BaseNotBuilt
        """
        pushed = _pushed(self._session, target.name, target.python)
        if pushed is None:
            here = self._shelf.find(target.name, target.python).digest
            return lambda _, __: (self._shelf.layout, here)
        there: Digest = pushed

        def read(target: Target, digest: Digest) -> tuple[Layout, Digest]:
            layout = self._shelf.layout
            if digest != there and not _complete(layout, there):
                layout = Layout(self._folder)
                fetch(bases_repository(self._session, target.name), there, layout)
            return layout, there

        return read


def _complete(layout: Layout, digest: Digest) -> bool:
    """Whether an image lies in a layout with all of its layers."""
    from packer.bases import contents

    try:
        return all(map(layout.has, contents.read(layout, digest).layers))
    except SendoffError:
        return False


def _workshop(session: Session, bench: Bench) -> Workshop:
    from packer.building import choice
    from packer.building.errors import BuilderNeeded
    from packer.buildkit.builder import Builder

    settings = session.settings
    chosen = choice.parse(settings.builder)
    if not chosen.runs:
        raise BuilderNeeded("a base image", "the setting builder is native", _OTHERWISE)
    return Workshop(
        catalogue=bench.catalogue,
        folder=bench.home,
        builder=Builder.at(chosen.address, settings.cache),
        tool=f"sendoff-{VERSION}",
        certificates=bench.certificates,
        arguments=bench.arguments,
        cache=settings.image.cache,
        fresh=bench.fresh,
    )


def _pushed(session: Session, name: str, python: str) -> Digest | None:
    if not session.settings.bases:
        return None
    try:
        return bases_repository(session, name).has(python)
    except DigestGone:
        return None


def _line(session: Session, catalogue: Catalogue, chosen: tuple[str, str]) -> Line:
    name, python = chosen
    entry = catalogue.bases[name]
    try:
        built = shelf(session).find(name, python).digest
    except BaseNotBuilt:
        built = None
    pushed = _pushed(session, name, python)
    return Line(
        name=name,
        python=python,
        root=plans.reference(catalogue, python),
        about=entry.about,
        cuda=entry.cuda,
        driver=entry.driver,
        built=built,
        pushed=pushed,
        reference=f"{session.settings.bases}/{name}@{pushed}" if pushed else "",
    )


def mirrors(pairs: Sequence[str]) -> Mapping[str, str]:
    """Build arguments that name mirrors, from "NAME=VALUE".

    Raises:
        Misuse
    """
    from sendoff.errors import Misuse

    found = {}
    for pair in pairs:
        name, given, value = pair.partition("=")
        if not given or not name:
            fix = "--mirror PIP_INDEX_URL=https://… or --mirror UV_PYTHON_INSTALL_MIRROR=https://…"
            raise Misuse(f"--mirror {pair}: no value", "it takes NAME=VALUE", fix)
        found[name] = value
    return found
