"""From an interpreter to a lock, step by step: what a remembered one saves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from packer.building.source import Source
from packer.environment import closure, environment, resolver, target
from packer.environment.environment import Environment, Installed
from packer.environment.environment_report import Agree
from packer.environment.installed_files import Hashes
from packer.environment.resolver import Locked, Plan
from packer.environment.sandbox import Sandbox
from packer.environment.sweep import Stamp, stamp
from packer.progress import Progress
from packer.record import Record
from packer.retargeting import plan as retargeted
from packer.retargeting.build_finder import BuildFinder
from packer.retargeting.builds import Builds
from packer.wheels import index_sources
from packer.wheels.candidates import Question
from packer.wheels.wheel_finder import Answer, WheelFinder
from packer.wheels.wheelhouse import Wheelhouse

_PYTHONPATH = "PYTHONPATH is set here and not in the image: give it with --env PYTHONPATH=…"
_PROJECT_FILES = ("pyproject.toml", "requirements.txt", "uv.toml")


class Outcome(Record, frozen=True):
    """A lock, and what it was made from on this machine."""

    locked: Locked
    seen: dict[str, Stamp | None]
    """Every file and directory the lock depends on, as it was."""
    time: int
    """When the first was looked at: nanoseconds since the epoch."""
    has_index: bool
    """Whether the lock would be the same with every index within reach."""
    is_complete: bool
    """Whether nothing is left to be built for it."""


class Draft(Record, frozen=True):
    """A lock before anything is built for it."""

    locked: Locked
    """With a provisional pin for each wheel that is to be built."""
    plan: Plan
    answer: Answer
    sources: dict[str, Source]
    """What is to be built, by name."""
    has_index: bool


def resolve(sandbox: Sandbox, progress: Progress, agree: Agree | None = None) -> Outcome:
    """Capture the environment, find its wheels, build those that there are not, and lock it.

    Nothing is built before `agree`, which is told what the environment is to be made of.

    Raises:
        DistUnresolvable, EditableOutsideProject, NoWheelForTarget, FileAltered, DiskFull
        SendoffError: of `packer.building`, where something has to be built; of `agree`.
        NoCudaBuild, TorchIndexUnreachable
    """
    seen, time, drafted = _drafted(sandbox, progress)
    if drafted.sources and agree:
        agree(drafted.locked.report)
    return Outcome(
        locked=finished(drafted, sandbox, progress),
        seen=seen,
        time=time,
        has_index=drafted.has_index,
        is_complete=True,
    )


def look(sandbox: Sandbox, progress: Progress) -> Outcome:
    """The lock as far as it is known with nothing built.

    Raises:
        As `resolve`, less what building does.
    """
    seen, time, drafted = _drafted(sandbox, progress)
    return Outcome(
        locked=drafted.locked,
        seen=seen,
        time=time,
        has_index=drafted.has_index,
        is_complete=not drafted.sources,
    )


def _drafted(sandbox: Sandbox, progress: Progress) -> tuple[dict[str, Stamp | None], int, Draft]:
    """A draft, every file that it was made from, and when the first was looked at."""
    settings = _settings(sandbox)
    found = environment.capture(sandbox.interpreter, Hashes(_hashes(sandbox)), progress)
    return {**found.seen, **settings}, found.time, draft(found, sandbox, progress)


def draft(found: Environment, sandbox: Sandbox, progress: Progress) -> Draft:
    """What the lock of an environment is made from, wherever that is.

    Raises:
        As `look`.
    """
    interpreter, project = found.interpreter, sandbox.project
    wanted = target.of(interpreter, sandbox.platform)
    distributions = [each.distribution for each in found.distributions]
    out = closure.left_out(distributions, closure.declared(project), interpreter)
    house = wheelhouse(sandbox)
    question = Question(python=interpreter.executable, project=project, sources=house.sources)
    finder = WheelFinder(sandbox.cache / "pins", question, wanted, house)
    names = {each.name for each in distributions} - out
    retargeting = retargeted.plan(found, wanted, sandbox.cuda, names)
    builds = Builds()
    if retargeting:
        builds = BuildFinder(finder, interpreter.minor, sandbox.cuda).find(retargeting, progress)
        names -= retargeting.gone | builds.pins.keys()
    packed = [each for each in found.distributions if each.distribution.name in names]
    answer = finder.find(packed, progress)
    sources = _sources(packed, answer, sandbox, house)
    plan = Plan(
        environment=found,
        project=project,
        target=wanted,
        left_out=out,
        built={name: str(each) for name, each in sources.items()},
        builds=builds,
    )
    return Draft(
        locked=_locked(plan, _provisional(answer, sources)),
        plan=plan,
        answer=answer,
        sources=sources,
        has_index=not (answer.unreachable or builds.warnings),
    )


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
    return _locked(drafted.plan, answer)


def wheelhouse(sandbox: Sandbox) -> Wheelhouse:
    """Where this machine's wheels are, and how others are fetched."""
    sources = index_sources.find(sandbox.interpreter.prefix)
    return Wheelhouse(root=sandbox.cache / "wheels", sources=sources)


def _sources(
    packed: list[Installed], answer: Answer, sandbox: Sandbox, house: Wheelhouse
) -> dict[str, Source]:
    """What has to be built. Most environments have nothing of that kind."""
    if not sandbox.base or len(answer.pins) == len(packed):
        return {}
    from packer.building import built_wheels, choice

    if not choice.parse(sandbox.builder).runs:
        return {}
    return built_wheels.wanted(packed, answer, house.sources)


def _provisional(answer: Answer, sources: dict[str, Source]) -> Answer:
    if not sources:
        return answer
    from packer.building import built_wheels

    return built_wheels.provisional(answer, sources)


def _locked(plan: Plan, answer: Answer) -> Locked:
    locked = resolver.lock(plan, answer)
    return _with_warning(locked, _PYTHONPATH) if os.environ.get("PYTHONPATH") else locked


def _with_warning(locked: Locked, warning: str) -> Locked:
    replace = msgspec.structs.replace
    report = replace(locked.report, warnings=(*locked.report.warnings, warning))
    return replace(locked, report=report)


def _hashes(sandbox: Sandbox) -> Path:
    name = hashlib.sha256(os.fsencode(sandbox.interpreter.prefix)).hexdigest()[:32]
    return sandbox.cache / "installed" / f"{name}.json"


def _settings(sandbox: Sandbox) -> dict[str, Stamp | None]:
    """Files that change a lock although nothing is installed."""
    files = index_sources.pip_files(sandbox.interpreter.prefix, os.environ)
    files += [sandbox.project / name for name in _PROJECT_FILES]
    files += sandbox.project.glob("requirements*.txt")
    return {str(path): stamp(path) for path in files}
