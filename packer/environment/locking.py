"""From an interpreter to a lock, step by step: what a remembered one saves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from packer.environment import closure, environment, resolver, target
from packer.environment.environment import Environment
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
from packer.wheels.wheel_finder import WheelFinder
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


def resolve(sandbox: Sandbox, progress: Progress) -> Outcome:
    """Capture the environment, find its wheels, and lock it.

    Raises:
        DistUnresolvable, EditableOutsideProject, NoWheelForTarget, FileAltered, DiskFull
        SendoffError: of `packer.building`, where something has to be built.
        NoCudaBuild, TorchIndexUnreachable
    """
    settings = _settings(sandbox)
    found = environment.capture(sandbox.interpreter, Hashes(_hashes(sandbox)), progress)
    locked, has_index = lock(found, sandbox, progress)
    return Outcome(
        locked=locked,
        seen={**found.seen, **settings},
        time=found.time,
        has_index=has_index,
    )


def lock(found: Environment, sandbox: Sandbox, progress: Progress) -> tuple[Locked, bool]:
    """The lock of an environment, wherever that is, and whether every index was within reach.

    Raises:
        As `resolve`.
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
    built: Mapping[str, str] = {}
    if sandbox.base and len(answer.pins) < len(packed):
        from packer.building import built_wheels

        answer, built = built_wheels.add(packed, answer, sandbox, wanted, house, progress=progress)
    plan = Plan(
        environment=found,
        project=project,
        target=wanted,
        left_out=out,
        built=built,
        builds=builds,
    )
    locked = resolver.lock(plan, answer)
    if os.environ.get("PYTHONPATH"):
        locked = _with_warning(locked, _PYTHONPATH)
    return locked, not (answer.unreachable or builds.warnings)


def wheelhouse(sandbox: Sandbox) -> Wheelhouse:
    """Where this machine's wheels are, and how others are fetched."""
    sources = index_sources.find(sandbox.interpreter.prefix)
    return Wheelhouse(root=sandbox.cache / "wheels", sources=sources)


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
