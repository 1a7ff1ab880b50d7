"""Distributions that no wheel serves and whose files prove nothing on the base: built there."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from packer.building import choice, source, source_copy
from packer.building.errors import BuilderNeeded, SourceAltered, SourceUnusable
from packer.building.source import Source
from packer.building.wheelwright import Wheelwright, Workshop
from packer.buildkit.builder import Builder
from packer.buildkit.errors import BuilderUnreachable
from packer.environment.environment import Installed
from packer.environment.lock import Recipe, WheelPin
from packer.environment.sandbox import Sandbox
from packer.environment.target import Target
from packer.progress import Progress
from packer.wheels import source_archives, wheel_match, wheel_record
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources
from packer.wheels.wheel_finder import Answer, from_index
from packer.wheels.wheelhouse import Wheelhouse

_EMPTY = hashlib.sha256(b"").hexdigest()
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
) -> tuple[str, ...]:
    """See to it that what was built is what is installed, where no hash of its source says so.

    The hash of an index does not: another index may have another distribution of that name.

    Returns:
        Names of those that an index has, and of which no module shows it.

    Raises:
        SourceAltered
        SourceUnusable: what was built of it is no wheel.
    """
    unshown = []
    for each in installed:
        name = each.distribution.name
        origin = sources.get(name)
        if origin and (from_index(each) or not origin.identity):
            shown = _compare(each, origin, answer.pins[name], target, house)
            unshown += [name] if origin.identity and not shown else []
    return tuple(unshown)


def _compare(
    installed: Installed, origin: Source, pin: WheelPin, target: Target, house: Wheelhouse
) -> bool:
    """Whether a module shows that the wheel was built of what is installed."""
    try:
        listed = wheel_record.read(house.path(pin))
    except zipfile.BadZipFile as error:
        raise SourceUnusable(str(origin), f"its backend made no sound {pin.filename}") from error
    known = wheel_match.modules(installed, listed, target.packages)
    unlike = [path for path, (there, here) in known.items() if there != here]
    shown = any(there == here != _EMPTY for there, here in known.values())
    if not unlike:
        return shown
    own = _modules(pin.built.source if pin.built else origin, house)
    # One that the archive does not hold was written by the build, and may be another each time.
    refuting = [path for path in unlike if known[path][1] in {"", *own}]
    if refuting or not shown:
        raise SourceAltered(
            str(origin),
            f"{origin.name} {origin.version}",
            origin.url,
            (refuting or unlike)[0],
            by_index=from_index(installed),
        )
    return True


def _modules(origin: Source, house: Wheelhouse) -> frozenset[str]:
    try:
        return source.modules(source_copy.archive(origin, house))
    except ValueError as error:
        raise SourceUnusable(str(origin), str(error)) from error


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
