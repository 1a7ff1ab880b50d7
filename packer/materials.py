"""A lock and everything on this machine that is needed to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from packer import target as targets
from packer.editable import EditableTree
from packer.environment_report import EnvironmentReport
from packer.interpreter import Interpreter
from packer.lock import Lock, WheelPin
from packer.progress import Progress
from packer.record import Record

Fetch = Callable[[tuple[WheelPin, ...]], Mapping[str, Path]]
"""Wheels → sha256 → file; those not on this machine are fetched and verified."""


class Resolved(Record, frozen=True):
    """An environment, ready to be built."""

    lock: Lock
    files: dict[str, Path | bytes]
    """sha256 → the bytes of the lock's files, or where they are."""
    fetch: Fetch
    editables: tuple[EditableTree, ...]
    """Source outside the project that has to be packed as well."""
    always: tuple[str, ...]
    """Patterns relative to the project of files packed whatever `.gitignore` says."""
    report: EnvironmentReport


def resolve(
    interpreter: Interpreter, project: Path, cache: Path, progress: Progress, platform: str = ""
) -> Resolved:
    """What `interpreter` has installed, as a lock for `platform` (its own, where that is empty).

    Raises:
        DistUnresolvable: a distribution can arrive in no form.
        EditableOutsideProject: the source of an editable install lies around the project.
        NoWheelForTarget: one was built for the sandbox's platform, and the target is another.
        DiskFull: a cache cannot be written.
    """
    from packer import closure, environment, index_sources, resolver
    from packer.candidates import Question
    from packer.installed_files import Hashes
    from packer.wheel_finder import WheelFinder
    from packer.wheelhouse import Wheelhouse

    target = targets.of(interpreter, platform)
    hashes = Hashes(cache / "installed" / "hashes.json")
    found = environment.capture(interpreter, hashes, progress)
    distributions = [each.distribution for each in found.distributions]
    out = closure.left_out(distributions, closure.declared(project), interpreter)
    sources = index_sources.find(interpreter.prefix)
    house = Wheelhouse(root=cache / "wheels", sources=sources)
    question = Question(python=interpreter.executable, project=project, sources=sources)
    finder = WheelFinder(cache / "pins", question, target, house)
    indexed = [
        each
        for each in found.distributions
        if each.distribution.name not in out and resolver.from_index(each)
    ]
    plan = resolver.Plan(environment=found, project=project, target=target, left_out=out)
    locked = resolver.lock(plan, finder.find(indexed, progress))
    return Resolved(
        lock=locked.lock,
        files={
            sha256: source if isinstance(source, bytes) else Path(source)
            for sha256, source in locked.sources.items()
        },
        fetch=lambda pins: house.fetch(pins, progress),
        editables=locked.editables,
        always=locked.always,
        report=locked.report,
    )
