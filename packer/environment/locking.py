"""From an interpreter to a lock, step by step: what a remembered one saves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from packer.building.source import Source
from packer.environment import closure, declarations, environment, resolver, target
from packer.environment.closure import Closure
from packer.environment.environment import Environment, Installed
from packer.environment.environment_report import PYTHONPATH_STAYS
from packer.environment.installed_files import Hashes
from packer.environment.lock import WheelPin
from packer.environment.resolver import Locked, Plan
from packer.environment.sandbox import Sandbox
from packer.environment.sweep import Stamp, stamp
from packer.progress import Progress
from packer.record import Record
from packer.retargeting import plan as retargeted
from packer.retargeting.build_finder import BuildFinder
from packer.retargeting.builds import Builds
from packer.wheels import index_sources, uv_settings
from packer.wheels.candidates import Question
from packer.wheels.wheel_finder import Answer, WheelFinder
from packer.wheels.wheelhouse import Wheelhouse

_UNPROVED = "{name} is built from {source} as it is now: no hash was recorded when it was installed"
_UNSHOWN = (
    "{name} is built from {url}, which an index has under this name and version: no module of it "
    "shows that it is what was installed"
)


class Draft(Record, frozen=True):
    """A lock before anything is built for it."""

    locked: Locked
    """With a provisional pin for each wheel that is to be built."""
    plan: Plan
    answer: Answer
    sources: dict[str, Source]
    """What is to be built, by name."""
    closure: Closure
    """What stays out of it with sendoff."""


class Outcome(Record, frozen=True):
    """A draft, and what it was made from on this machine."""

    draft: Draft
    seen: dict[str, Stamp | None]
    """Every file and directory the lock depends on, as it was."""
    time: int
    """When the first was looked at: nanoseconds since the epoch."""


def look(sandbox: Sandbox, progress: Progress) -> Outcome:
    """Capture the environment, find its wheels, and lock it as far as that goes unbuilt.

    Raises:
        DistUnresolvable, EditableOutsideProject, NoWheelForTarget, FileAltered, DiskFull
        NoCudaBuild, TorchIndexUnreachable
    """
    settings = _settings(sandbox)
    found = environment.capture(sandbox.interpreter, Hashes(_hashes(sandbox)), progress)
    return Outcome(
        draft=draft(found, sandbox, progress),
        seen={**found.seen, **settings},
        time=found.time,
    )


def draft(found: Environment, sandbox: Sandbox, progress: Progress) -> Draft:
    """What the lock of an environment is made from, wherever that is.

    Raises:
        As `look`.
    """
    interpreter, project = found.interpreter, sandbox.project
    glibc = sandbox.base.glibc if sandbox.base else ""
    wanted = target.of(interpreter, sandbox.platform, glibc)
    closed = closure.of(found, declarations.names(project), sandbox.imports)
    house = wheelhouse(sandbox)
    question = Question(python=interpreter.executable, project=project, sources=house.sources)
    finder = WheelFinder(sandbox.cache / "pins", question, wanted, house)
    names = {each.distribution.name for each in found.distributions} - closed.left_out
    retargeting = retargeted.plan(found, wanted, sandbox.cuda, names)
    builds = Builds()
    if retargeting:
        builds = BuildFinder(finder, interpreter.minor, sandbox.cuda).find(retargeting, progress)
        names -= retargeting.gone | builds.pins.keys()
    packed = [each for each in found.distributions if each.distribution.name in names]
    answer = finder.find(packed, progress)
    sources, answer = _sources(packed, answer, sandbox, house)
    plan = Plan(
        environment=found,
        project=project,
        target=wanted,
        left_out=closed.left_out,
        built={name: str(each) for name, each in sources.items()},
        builds=builds,
    )
    locked = _locked(plan, provisional(answer, sources), sources)
    return Draft(locked=locked, plan=plan, answer=answer, sources=sources, closure=closed)


def finished(drafted: Draft, sandbox: Sandbox, progress: Progress) -> Locked:
    """The lock, with everything built that has to be.

    Raises:
        SendoffError: of `packer.building`.
    """
    if not drafted.sources:
        return drafted.locked
    from packer.building import built_wheels

    house = wheelhouse(sandbox)
    answer = built_wheels.add(
        drafted.sources, drafted.answer, sandbox, drafted.plan.target, house, progress=progress
    )
    plan, sources = drafted.plan, drafted.sources
    installed = plan.environment.distributions
    unshown = built_wheels.check(installed, sources, answer, plan.target, house)
    warnings = [_UNSHOWN.format(name=name, url=sources[name].url) for name in unshown]
    return _with_warnings(_locked(plan, answer, sources), warnings)


def wheelhouse(sandbox: Sandbox) -> Wheelhouse:
    """Where this machine's wheels are, and how others are fetched."""
    sources = index_sources.find(sandbox.interpreter.prefix, sandbox.project)
    return Wheelhouse(root=sandbox.cache / "wheels", sources=sources)


def _sources(
    packed: list[Installed], answer: Answer, sandbox: Sandbox, house: Wheelhouse
) -> tuple[dict[str, Source], Answer]:
    """What has to be built. Most environments have nothing of that kind."""
    if not sandbox.base or len(answer.pins) == len(packed):
        return {}, answer
    from packer.building import built_wheels, choice

    if not choice.parse(sandbox.builder).runs:
        return {}, answer
    return built_wheels.wanted(packed, answer, house.sources)


def provisional(answer: Answer, sources: Mapping[str, Source]) -> Answer:
    """`answer` with a pin for each wheel that is still to be built: without file, hash or size."""
    pins = {
        name: WheelPin(name=name, version=each.version, filename="", sha256="", size=0)
        for name, each in sources.items()
    }
    return msgspec.structs.replace(answer, pins={**answer.pins, **pins})


def _locked(plan: Plan, answer: Answer, sources: Mapping[str, Source]) -> Locked:
    locked = resolver.lock(plan, answer)
    warnings = [
        _UNPROVED.format(name=name, source=each)
        for name, each in sources.items()
        if not each.identity
    ]
    warnings += [PYTHONPATH_STAYS] if os.environ.get("PYTHONPATH") else []
    return _with_warnings(locked, warnings)


def _with_warnings(locked: Locked, warnings: list[str]) -> Locked:
    if not warnings:
        return locked
    replace = msgspec.structs.replace
    report = replace(locked.report, warnings=(*locked.report.warnings, *warnings))
    return replace(locked, report=report)


def _hashes(sandbox: Sandbox) -> Path:
    name = hashlib.sha256(os.fsencode(sandbox.interpreter.prefix)).hexdigest()[:32]
    return sandbox.cache / "installed" / f"{name}.json"


def _settings(sandbox: Sandbox) -> dict[str, Stamp | None]:
    """Files that change a lock although nothing is installed."""
    files = index_sources.pip_files(sandbox.interpreter.prefix, os.environ)
    files += uv_settings.files(sandbox.project)
    # One of the project's that is not there yet makes another key of what is remembered.
    files += declarations.files(sandbox.project)
    return {str(path): stamp(path) for path in files}
