"""Makes wheels of sources: by BuildKit, on the base image, without a network."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from packer import disk, record
from packer.building import source as sources
from packer.building import source_copy, source_dockerfile, wheel_name
from packer.building.contexts import installer, layer
from packer.building.errors import SourceUnusable, WheelNotBuilt
from packer.building.source import Source, Tree
from packer.buildkit.build import Build, Output, cache_reference
from packer.buildkit.builder import Builder
from packer.buildkit.errors import BuildFailed
from packer.digest import Digest
from packer.environment.lock import Recipe, WheelPin
from packer.environment.target import Target
from packer.images.base import Base
from packer.layers.environment_plan import LayerPlan
from packer.process import ProgramFailed
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.wheels import candidates, wheel_choice
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelUnavailable
from packer.wheels.wheelhouse import Wheelhouse

_RECIPE = "2"
"""Raised when wheels are built in another way."""
_MAKER = Path(__file__).with_name("wheel_maker.py")
_ASKS = re.compile(r"^sendoff-build-requires: (\[.*\])$", re.MULTILINE)
_ROUNDS = 3
"""How often a backend may ask for more."""


class BuiltWheel(Record, frozen=True):
    """A wheel, and what it was made from."""

    pin: WheelPin
    source: Source
    """With what decides its bytes, whether that was recorded or found out."""
    requirements: tuple[WheelPin, ...]
    """The wheels that were there to build it with."""


class Workshop(NamedTuple):
    """What wheels are built with, and what for."""

    builder: Builder
    base: Base
    target: Target
    packages: tuple[str, ...] = ()
    """Debian packages that building takes."""
    cache: str = ""
    """Repository where BuildKit finds what another has done, and leaves its own."""


class Wheelwright:
    """Builds for one base image; remembers what was built."""

    def __init__(
        self, workshop: Workshop, house: Wheelhouse, question: Question, memory: Path
    ) -> None:
        """`memory`: directory for what was built."""
        self._builder, self._base, self._target, self._packages, self._cache = workshop
        self._house, self._question, self._memory = house, question, memory

    def repeat(self, recipe: Recipe, progress: Progress = SILENT) -> WheelPin:
        """The wheel that `recipe` makes with the very requirements it had, in the wheelhouse.

        It is built, whatever anybody remembers of it.

        Raises:
            WheelUnavailable: a requirement is gone; otherwise as `make`.
        """
        with self._builder.workplace(str(recipe.source)) as work:
            tree = self._tree(recipe.source, work)
            try:
                return self._built(recipe.source, tree, recipe.requirements, progress, fresh=True)
            except BuildFailed as error:
                raise _failure(recipe.source, error) from error

    def make(self, source: Source, progress: Progress = SILENT) -> BuiltWheel:
        """The wheel of `source`, in the wheelhouse.

        Raises:
            SourceUnusable: it cannot be had, needs what cannot be had, or becomes another version.
            WheelHashMismatch: its archive is not what was recorded.
            WheelNotBuilt: its build failed.
            BuilderUnreachable, BuilderDied, BuildFailed, DiskFull
        """
        source = source_copy.identified(source, self._house)
        place = self._memory / f"{self._key(source).hex}.json"
        known = self._recall(place)
        if known is None:
            with self._builder.workplace(str(source)) as work:
                known = self._make(source, work, progress)
            disk.replace(place, record.encode(known))
        # The same bytes may be had from elsewhere today.
        return replace(known, source=source)

    def _key(self, source: Source) -> Digest:
        facts = [source.name, source.version, source.identity, source.subdirectory]
        return Digest.of(record.encode([_RECIPE, facts, self._base.digest, self._packages]))

    def _recall(self, place: Path) -> BuiltWheel | None:
        try:
            known = record.decode(place.read_bytes(), BuiltWheel)
        except (OSError, ValueError):
            return None
        # A wheel of this machine cannot be fetched again.
        return known if self._house.has(known.pin) else None

    def _make(self, source: Source, work: Path, progress: Progress) -> BuiltWheel:
        tree = self._tree(source, work)
        for _ in range(_ROUNDS):
            pins = self._requirements(source, tree.system.requires)
            try:
                pin = self._built(source, tree, pins, progress)
            except BuildFailed as error:
                further = _further(error)
                if not further:
                    raise _failure(source, error) from error
                requires = (*tree.system.requires, *further)
                tree = replace(tree, system=replace(tree.system, requires=requires))
            else:
                return BuiltWheel(pin=pin, source=source, requirements=pins)
        raise SourceUnusable(str(source), "its backend asks for more again and again")

    def _tree(self, source: Source, work: Path) -> Tree:
        place = source_copy.fetch(source, self._house, work / "source")
        try:
            return sources.read(place, source.subdirectory)
        except ValueError as error:
            raise SourceUnusable(str(source), str(error)) from error

    def _requirements(self, source: Source, requires: Sequence[str]) -> tuple[WheelPin, ...]:
        if not requires:
            return ()
        platform = self._target.uv_platform
        try:
            found = candidates.resolve(self._question, requires, self._base.minor, platform)
            pins = [each.pin() for wheels in found.values() for each in wheels]
            return wheel_choice.by_tags(pins, self._target.tags)
        except (ProgramFailed, WheelUnavailable) as error:
            reason = f"its build requirements cannot be had: {', '.join(requires)}"
            said = candidates.without_logins(error.evidence())
            raise SourceUnusable(str(source), reason, said) from error

    def _built(
        self,
        source: Source,
        tree: Tree,
        pins: tuple[WheelPin, ...],
        progress: Progress,
        *,
        fresh: bool = False,
    ) -> WheelPin:
        wheels = dict(self._house.fetch(pins, progress))
        with self._builder.workplace(str(source)) as work:
            plan = LayerPlan(wheels=pins)
            contexts = {
                "installer": installer(work / "installer"),
                "requirements": layer(work / "requirements", plan, self._base.minor, wheels, {}),
                "maker": _maker(work / "maker"),
                "plan": _told(work / "plan", tree, source),
                "source": tree.place if tree.place.is_dir() else tree.place.parent,
            }
            build = Build(
                dockerfile=source_dockerfile.render(
                    self._base,
                    compiles=tree.compiles,
                    packages=self._packages,
                    version=source.version,
                ),
                contexts={name: str(path) for name, path in contexts.items()},
                platform=self._base.platform,
                output=Output.files(work / "out"),
                cache=cache_reference(self._cache, "wheel", self._key(source)),
                fresh=fresh,
            )
            self._builder.build(build, progress)
            made = list((work / "out").glob("*.whl"))
            if len(made) != 1:
                raise SourceUnusable(str(source), f"its backend made {len(made)} wheels")
            return self._adopted(source, made[0])

    def _adopted(self, source: Source, wheel: Path) -> WheelPin:
        wheel_name.require(wheel.name, source)
        unknown = WheelPin(
            name=source.name, version=source.version, filename=wheel.name, sha256="", size=0
        )
        return self._house.adopt(unknown, wheel.absolute().as_uri())


def _maker(place: Path) -> Path:
    place.mkdir()
    shutil.copyfile(_MAKER, place / _MAKER.name)
    return place


def _told(place: Path, tree: Tree, source: Source) -> Path:
    """What the maker reads."""
    place.mkdir()
    told = {
        "backend": tree.system.backend,
        "backend_path": tree.system.backend_path,
        "requires": tree.system.requires,
        "subdirectory": source.subdirectory,
        "archive": not tree.place.is_dir(),
    }
    (place / "plan.json").write_bytes(record.encode(told))
    return place


def _further(error: BuildFailed) -> tuple[str, ...]:
    """What the backend asked for, where that is why it ended."""
    asked = _ASKS.search(error.output)
    return tuple(json.loads(asked[1])) if asked else ()


def _failure(source: Source, error: BuildFailed) -> Exception:
    # What says more is no fault of the source's.
    if type(error) is not BuildFailed:
        return error
    return WheelNotBuilt(str(source), f"{error.step}: {error.error}", error.evidence())
