"""Which levels hold, of one index and of several together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from dispatcher import likeness
from dispatcher.likeness import Side
from dispatcher.referral import Ended
from dispatcher.request import Request
from packer.digest import Digest
from packer.reproduction.difference import Difference
from packer.reproduction.rebuild import Rebuilt
from sendoff.reproduction.errors import sentence
from sendoff.reproduction.original import Original
from sendoff.reproduction.report import LEVELS, Level, LevelName, Report

_UNKNOWN = "no earlier run of this image is known here"
_NOT_RUN = "nothing was run"


def of_run(bare: Report, original: Original, request: Request, ended: Ended | None) -> Report:
    """`bare`, which says what was asked for, with what running it again has shown.

    `request` is that of the run that was made for this, with the one input; `ended` what came of
    it, None where it left no manifest.
    """
    if original.ended is None:
        return _nothing(bare, _UNKNOWN)
    if ended is None:
        return _nothing(bare, f"run {bare.run} left no manifest")
    was = Side(request=original.request, ended=original.ended)
    here = Side(request=request, ended=ended)
    found = _judged(was, here, bare.asked, bare.rtol)
    return replace(
        bare,
        **found,
        files=len(original.ended.manifest.files) if original.ended.manifest else 0,
        hardware={"was": _machine(was), "now": _machine(here)},
    )


def of_rebuild(bare: Report, found: Rebuilt) -> Report:
    """`bare` with what packing again has shown. Nothing was run."""
    levels = tuple(
        _l1(bare.digest, found) if name == "L1" else Level(name=name, holds=None, why=_NOT_RUN)
        for name in LEVELS
    )
    return replace(bare, levels=levels, difference=found.difference)


def together(reports: Sequence[Report]) -> Report:
    """Several indexes as one: a level holds where it does of each of them.

    The digest, the command and what differs are those of the first index that fails, if any does.
    """
    if len(reports) == 1:
        return reports[0]
    decisive = next((each for each in reports if not each.holds), reports[0])
    return replace(
        decisive,
        levels=tuple(_of_all(name, reports) for name in LEVELS),
        run=decisive.run.partition("/")[0],
        earlier=decisive.earlier.partition("/")[0],
        files=sum(each.files for each in reports),
        metrics=(),
        indexes=tuple(reports),
    )


def _of_all(name: LevelName, reports: Sequence[Report]) -> Level:
    found = [next(each for each in report.levels if each.name == name) for report in reports]
    failing = [number for number, level in enumerate(found) if level.holds is False]
    if failing:
        first = failing[0]
        return Level(
            name=name,
            holds=False,
            why=f"{len(failing)} of {len(found)} indexes fail, the first of them "
            f"{reports[first].earlier or reports[first].digest}: {found[first].why}",
        )
    open_ = [level for level in found if level.holds is None]
    if open_:
        return Level(name=name, holds=None, why=open_[0].why)
    return Level(name=name, holds=True, why=f"of each of {len(found)} indexes: {found[0].why}")


def _nothing(bare: Report, missing: str) -> Report:
    return replace(
        bare,
        levels=tuple(Level(name=name, holds=None, why=missing) for name in LEVELS),
        difference=Difference(what="nothing", was="", now="", detail=missing),
    )


def _judged(was: Side, here: Side, asked: LevelName, rtol: float) -> dict[str, Any]:
    identity, bits = likeness.identity(was, here), likeness.bitwise(was, here)
    measured = likeness.compare_metrics(was, here, rtol)
    # What is the same in every bit is so within any tolerance.
    numbers = likeness.statistical(was, here, measured) if bits else None
    first = {"L0": identity, "L1": None, "L2": bits, "L3": numbers}
    levels = (
        _level("L0", identity, "digest, command, inputs and GPU class are the same"),
        Level(name="L1", holds=None, why="nothing was packed: ask for --level L1"),
        _level("L2", bits, "every output is the same in every byte"),
        _level("L3", numbers, f"every metric is within {rtol:g} of what it was"),
    )
    return {
        "levels": levels,
        "difference": first[asked],
        "cause": likeness.cause(was, here) if bits else None,
        "metrics": measured,
    }


def _l1(digest: Digest, found: Rebuilt) -> Level:
    if found.difference is None:
        return Level(
            name="L1", holds=True, why="packing the recorded project and lock gives this digest"
        )
    first = f"the first difference is {sentence(found.difference)}"
    if found.digest is None:
        return Level(name="L1", holds=False, why=f"it can't be packed again as it was: {first}")
    return Level(
        name="L1", holds=found.digest == digest, why=f"packing again gives {found.digest}; {first}"
    )


def _level(name: LevelName, difference: Difference | None, holds: str) -> Level:
    if difference is None:
        return Level(name=name, holds=True, why=holds)
    return Level(name=name, holds=False, why=sentence(difference))


def _machine(side: Side) -> str:
    facts = side.hardware
    parts = [side.gpus, f"driver {side.drivers}" if side.drivers else "", str(facts.get("cpu", ""))]
    return ", ".join(filter(None, parts))
