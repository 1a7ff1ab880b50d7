"""`sendoff.reproduce`: run a digest again, and say in what it is what it was.

report = sendoff.reproduce("sha256:…")
report.holds, report.level, report.difference
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher import likeness
from dispatcher.likeness import Side
from dispatcher.request import Resources
from dispatcher.run import Run as RunRecord
from dispatcher.run import new_id, now
from packer.digest import Digest
from packer.progress import SILENT, Progress
from packer.reproduction.difference import Difference
from packer.reproduction.rebuild import Rebuilt
from sendoff import shelves
from sendoff.errors import Misuse
from sendoff.reproduction import original as originals
from sendoff.reproduction.original import Original
from sendoff.reproduction.report import LEVELS, Level, LevelName, Report
from sendoff.session import Session

if TYPE_CHECKING:
    import os

    from packer.images.shelf import Shelf
    from sendoff.handle import Run

RTOL = 0.01
"""The tolerance of L3 where none is given."""

_RESOURCES = frozenset(Resources.__struct_fields__)
_OF_REQUEST = frozenset(
    {"target", "group", "timeout", "grace", "retries"},
)
_NOTHING = "no earlier run of this image is known here"


def reproduce(
    reference: str,
    level: LevelName | None = None,
    rtol: float | None = None,
    *,
    project: str | os.PathLike[str] = ".",
    **wishes: Any,
) -> Report:
    """Run an image again and say which level holds; with `level` L1 pack it again instead.

    `reference` is a digest, `REPOSITORY@sha256:…`, or a run. Asked for is L2, or L3 where `rtol`
    is given, unless `level` says otherwise. `wishes` are as those of `ship`: another target, …
    What the outputs are is the report's matter, and no error; see `Report.failure`.

    Raises:
        DigestUnknown, DigestAmbiguous, NoRunImage, RecordNewer, RunUnknown, Misuse
        SendoffError: what the registry, the store and the target raise.
    """
    began = time.monotonic()
    session, name = shelves.opened(reference, Path(project), wishes)
    given = settings_of(session, wishes)
    asked = Asking(reference, level, rtol)
    shelf = shelves.reading(session)
    original = originals.find(name, session, shelf)
    if asked.level == "L1":
        return asked.rebuilt(original, session, shelf, began=began)
    run = start(original, session, given)
    run.wait()
    return asked.report(original, run, began=began)


class Asking:
    """What is asked about an image."""

    def __init__(
        self, reference: str, level: LevelName | None = None, rtol: float | None = None
    ) -> None:
        """Raises Misuse: there is no such level, or no such tolerance."""
        if level is not None and level not in LEVELS:
            raise Misuse(f"there is no level {level!r}", fix=f"there are: {', '.join(LEVELS)}")
        if rtol is not None and not rtol >= 0:
            raise Misuse(f"{rtol} is no tolerance", fix="give a fraction such as --rtol 0.01")
        self.reference = reference
        self.level: LevelName = level or ("L2" if rtol is None else "L3")
        self.rtol = RTOL if rtol is None else rtol

    def rebuilt(
        self,
        original: Original,
        session: Session,
        shelf: Shelf,
        progress: Progress = SILENT,
        *,
        began: float,
    ) -> Report:
        """What packing again has shown. Nothing is run."""
        from sendoff.reproduction import rebuilding

        found = rebuilding.rebuild(original.image, session, shelf, progress)
        levels = (
            Level(name="L0", holds=None, why="nothing was run"),
            _l1(original.image.digest, found),
            Level(name="L2", holds=None, why="nothing was run"),
            Level(name="L3", holds=None, why="nothing was run"),
        )
        return Report(
            reference=self.reference,
            digest=original.image.digest,
            command=original.image.command,
            asked=self.level,
            levels=levels,
            difference=found.difference,
            earlier=original.run,
            rtol=self.rtol,
            seconds=round(time.monotonic() - began, 3),
        )

    def report(self, original: Original, run: Run, *, began: float) -> Report:
        """What the run `run`, which has ended, has shown."""
        from dispatcher import referral

        ended = referral.of_index(run.record, 0, run.places)
        common: dict[str, Any] = {
            "reference": self.reference,
            "digest": original.image.digest,
            "command": original.image.command,
            "asked": self.level,
            "run": run.id,
            "rtol": self.rtol,
        }
        if original.ended is None or ended is None:
            missing = _NOTHING if original.ended is None else f"run {run.id} left no manifest"
            nothing = Difference(what="nothing", was="", now="", detail=missing)
            return Report(
                **common,
                levels=tuple(Level(name=name, holds=None, why=missing) for name in LEVELS),
                difference=nothing,
                seconds=round(time.monotonic() - began, 3),
            )
        was = Side(request=original.request, ended=original.ended)
        here = Side(request=run.record.request, ended=ended)
        return Report(
            **common,
            **self._judged(was, here),
            earlier=original.run,
            files=len(original.ended.manifest.files) if original.ended.manifest else 0,
            hardware={"was": _machine(was), "now": _machine(here)},
            seconds=round(time.monotonic() - began, 3),
        )

    def _judged(self, was: Side, here: Side) -> dict[str, Any]:
        identity, bits = likeness.identity(was, here), likeness.bitwise(was, here)
        measured = likeness.compare_metrics(was, here, self.rtol)
        # What is the same in every bit is so within any tolerance.
        numbers = likeness.statistical(was, here, measured) if bits else None
        first = {"L0": identity, "L1": None, "L2": bits, "L3": numbers}
        levels = (
            _level("L0", identity, "digest, command, inputs and GPU class are the same"),
            Level(name="L1", holds=None, why="nothing was packed: ask for --level L1"),
            _level("L2", bits, "every output is the same in every byte"),
            _level("L3", numbers, f"every metric is within {self.rtol:g} of what it was"),
        )
        return {
            "levels": levels,
            "difference": first[self.level],
            "cause": likeness.cause(was, here) if bits else None,
            "metrics": measured,
        }


def start(original: Original, session: Session, given: Mapping[str, Any]) -> Run:
    """Send the image off once more; `given` are settings that were named for this.

    Raises:
        InputGone, and what the target raises.
    """
    from dispatcher import dispatch, inputs
    from sendoff.handle import Run

    record = record_of(original, session, given)
    if record.request.given:
        inputs.require(record.request.given, session.places)
    return Run(dispatch.submit(record, session.places), session)


def record_of(original: Original, session: Session, given: Mapping[str, Any]) -> RunRecord:
    """The run that would be sent off."""
    asked = original.request
    resources = {key: value for key, value in given.items() if key in _RESOURCES}
    others = {key: value for key, value in given.items() if key in _OF_REQUEST}
    request = replace(
        asked,
        repository=session.settings.registry,
        resources=replace(asked.resources, **resources),
        idempotency_key="",
        per_pod=1,
        max_parallel=0,
        **others,
    )
    stem = original.run.partition("/")[0].rpartition("-")[0]
    return RunRecord(
        id=new_id(stem or asked.name or asked.inputs[0].command[0].rpartition("/")[2]),
        created=now(),
        request=request,
        snapshot=Digest(original.image.labels["snapshot"]),
        environment=Digest(original.image.labels["environment"]),
        namespace=session.settings.namespace if request.target == "kubernetes" else "",
        provenance={"reproduces": original.run or str(original.image.digest)},
    )


def settings_of(session: Session, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among what was named, as values."""
    from sendoff.settings.catalogue import BY_KEY

    fields = {key.replace("-", "_") for key in BY_KEY}
    names = [key.replace("-", "_") for key in wishes]
    return {name: getattr(session.settings, name) for name in names if name in fields}


def follow(run: Run, tell: Callable[[str], object]) -> None:
    """Pass on what the command prints until it has ended."""
    for event in run[0].events():
        tell(event.text)
    run.wait()


def _l1(digest: Digest, found: Rebuilt) -> Level:
    if found.difference is None:
        return Level(
            name="L1", holds=True, why="packing the recorded project and lock gives this digest"
        )
    why = f"packing again gives {found.digest}; the first difference is the {found.difference.what}"
    return Level(name="L1", holds=found.digest == digest, why=why)


def _level(name: LevelName, difference: Difference | None, holds: str) -> Level:
    from sendoff.reproduction.errors import sentence

    if difference is None:
        return Level(name=name, holds=True, why=holds)
    return Level(name=name, holds=False, why=sentence(difference))


def _machine(side: Side) -> str:
    facts = side.hardware
    parts = [side.gpus, f"driver {side.drivers}" if side.drivers else "", str(facts.get("cpu", ""))]
    return ", ".join(filter(None, parts))
