"""Distributions that no wheel serves and whose files prove nothing on the base: built there."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from packer.building import choice, source
from packer.building.errors import BuilderNeeded, SourceAltered, SourceUnusable
from packer.building.source import Source
from packer.building.wheelwright import Wheelwright, Workshop
from packer.buildkit.builder import Builder
from packer.buildkit.errors import BuilderUnreachable
from packer.environment.environment import Installed
from packer.environment.lock import Recipe
from packer.environment.sandbox import Sandbox
from packer.environment.target import Target
from packer.progress import Progress
from packer.wheels import source_archives, wheel_match, wheel_record
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources
from packer.wheels.wheel_finder import Answer, from_index
from packer.wheels.wheelhouse import Wheelhouse

_NATIVE = (".so", ".pyd", ".dylib")
_NO_WHEEL = "the index has no wheel"


def wanted(
    packed: Iterable[Installed], answer: Answer, sources: IndexSources
) -> tuple[dict[str, Source], Answer]:
    """What has to be built, by name: it was compiled here, and `answer` has no wheel of it.

    Besides `answer`, with what kept an index from telling of a source.
    """
    found: dict[str, Source] = {}
    unread: dict[str, str] = {}
    for each in packed:
        name = each.distribution.name
        try:
            origin = None if name in answer.pins else _source(each, answer, sources)
        except WheelUnavailable as error:
            unread[name] = str(error)
        else:
            found.update({name: origin} if origin else {})
    reasons, before = {**answer.reasons, **unread}, answer.unread
    return found, replace(answer, reasons=reasons, unread={**before, **unread})


def add(
    sources: Mapping[str, Source],
    answer: Answer,
    sandbox: Sandbox,
    target: Target,
    house: Wheelhouse,
    *,
    progress: Progress,
) -> Answer:
    """`answer` with the wheels of `sources`, built on the sandbox's base.

    Raises:
        BuilderNeeded: there is something to build and no builder.
        SourceUnusable, WheelNotBuilt, BuilderUnreachable, BuilderDied, BuildFailed
    """
    chosen = choice.parse(sandbox.builder)
    if sandbox.base is None:
        return answer
    builder = Builder.at(chosen.address, sandbox.cache)
    wheelwright = Wheelwright(
        Workshop(builder, sandbox.base, target, sandbox.build_apt, sandbox.build_cache),
        house,
        Question(
            python=sandbox.interpreter.executable, project=sandbox.project, sources=house.sources
        ),
        sandbox.cache / "built",
    )
    pins = dict(answer.pins)
    for name, each in sources.items():
        try:
            made = wheelwright.make(each, progress)
        except BuilderUnreachable as error:
            if chosen.address:
                raise
            raise _needed(each, target, error) from error
        recipe = Recipe(
            source=made.source, packages=sandbox.build_apt, requirements=made.requirements
        )
        pins[name] = replace(made.pin, built=recipe)
    return replace(answer, pins=pins)


def check(
    installed: Iterable[Installed],
    sources: Mapping[str, Source],
    answer: Answer,
    target: Target,
    house: Wheelhouse,
) -> None:
    """See to it that what was built is what is installed, where no hash of its source says so.

    Raises:
        SourceAltered
        SourceUnusable: what was built of it is no wheel.
    """
    for each in installed:
        origin = sources.get(each.distribution.name)
        if origin and not origin.identity:
            _compare(each, origin, house.path(answer.pins[origin.name]), target)


def _compare(installed: Installed, origin: Source, wheel: Path, target: Target) -> None:
    try:
        listed = wheel_record.read(wheel)
    except zipfile.BadZipFile as error:
        raise SourceUnusable(str(origin), f"its backend made no sound {wheel.name}") from error
    for path in wheel_match.differing(installed, listed, target.packages):
        named = f"{origin.name} {origin.version}"
        raise SourceAltered(str(origin), named, origin.url, path)


def _source(installed: Installed, answer: Answer, sources: IndexSources) -> Source | None:
    found = installed.distribution
    if found.is_editable or not is_compiled(installed):
        return None
    if not from_index(installed):
        return source.of_direct_url(found.name, found.version, found.source)
    if not answer.reasons.get(found.name, "").startswith(_NO_WHEEL):
        return None
    archive = source_archives.find(found.name, found.version, sources)
    if archive is None:
        return None
    return Source(name=found.name, version=found.version, url=archive.url, sha256=archive.sha256)


def is_compiled(installed: Installed) -> bool:
    """Whether files of it were made for one machine's libraries."""
    return any(Path(file.path).suffix in _NATIVE for file in installed.files)


def _needed(each: Source, target: Target, error: BuilderUnreachable) -> BuilderNeeded:
    here = "--builder native packs the installed files as they are"
    return BuilderNeeded(
        str(each),
        "it was compiled here, no index has a wheel of it, and "
        f"{error.what()}{': ' if error.why() else ''}{error.why()}",
        f"or choose a version with a wheel for {target.platform}" if target.is_foreign else here,
    )
