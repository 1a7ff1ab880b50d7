"""Whether one run is what another was: the levels of "Reproducing" in the design. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from dispatcher.referral import Ended
from dispatcher.request import Input, Request
from packer.record import Record
from packer.reproduction.difference import Difference

_TIMES = re.compile(
    r"(.*[._/ -])?(time|times|seconds|secs|duration|elapsed|eta|throughput|speed|fps|it_s|it/s"
    r"|\w+_per_sec(ond)?s?|\w+_per_second)([._/ -].*)?",
    re.IGNORECASE,
)
"""Names of metrics that tell how fast it went, which says nothing of what came of it."""


class Side(Record, frozen=True):
    """One index of one run."""

    request: Request
    """Of the run; its only input is that of the index."""
    ended: Ended

    @property
    def input(self) -> Input:
        """What was run."""
        return self.request.inputs[0]

    @property
    def hardware(self) -> dict[str, Any]:
        """As the manifest has it."""
        return self.ended.manifest.hardware if self.ended.manifest else {}

    @property
    def gpus(self) -> str:
        """Such as "2 × NVIDIA H100 80GB HBM3"; empty for none."""
        names = [str(gpu.get("name", "GPU")) for gpu in self.hardware.get("gpus") or ()]
        counted = {name: names.count(name) for name in names}
        return ", ".join(f"{count} × {name}" for name, count in counted.items())

    @property
    def drivers(self) -> str:
        """The drivers of its GPUs; empty for none."""
        found = (str(gpu.get("driver") or "") for gpu in self.hardware.get("gpus") or ())
        return ", ".join(dict.fromkeys(filter(None, found)))


class Measured(Record, frozen=True):
    """A metric on both sides; None where one has none."""

    name: str
    was: float | None
    now: float | None
    within: bool
    """Whether it is within the tolerance."""
    counts: bool = True
    """False for one that tells how fast it went."""


def identity(was: Side, now: Side) -> Difference | None:
    """L0: digest, command, inputs and GPU class, as the runner of each had them."""
    then, here = was.ended.manifest, now.ended.manifest
    pairs = (
        ("digest", str(was.input.digest), str(here.digest if here else now.input.digest)),
        ("command", _words(was.input.command), _words(here.command if here else ())),
        ("inputs", _data(was.request), _data(now.request)),
        ("gpu", was.request.resources.gpu, now.request.resources.gpu),
        ("variables", _variables(was.request), _variables(now.request)),
    )
    for what, before, after in pairs:
        if before != after:
            return Difference(what=what, was=before, now=after)
    if then is None or here is None or then.digest == here.digest:
        return None
    return Difference(what="digest", was=then.digest, now=here.digest)


def bitwise(was: Side, now: Side) -> Difference | None:
    """L2: how it ended, and the sha256 of every file; of no files, that of what it printed.

    The first difference, or None.
    """
    then, here = was.ended.manifest, now.ended.manifest
    if then is None or here is None:
        return Difference(what="outputs", was="", now="", detail="the manifest is not at hand")
    if _end(was) != _end(now):
        return Difference(what="exit", was=_end(was), now=_end(now))
    before = {file.path: file.sha256 for file in then.files}
    after = {file.path: file.sha256 for file in here.files}
    for path in sorted(before | after):
        if before.get(path) != after.get(path):
            return Difference(
                what="outputs",
                was=before.get(path, "no such file"),
                now=after.get(path, "no such file"),
                detail=path,
            )
    if before or was.ended.printed == now.ended.printed != "":
        return None
    detail = "what it printed; there are no files"
    return Difference(what="outputs", was=was.ended.printed, now=now.ended.printed, detail=detail)


def compare_metrics(was: Side, now: Side, rtol: float) -> tuple[Measured, ...]:
    """Every metric of either side, sorted by name; `rtol` is relative to the larger one."""
    names = sorted(was.ended.metrics.keys() | now.ended.metrics.keys())
    return tuple(
        _measured(name, was.ended.metrics.get(name), now.ended.metrics.get(name), rtol)
        for name in names
    )


def statistical(was: Side, now: Side, measured: tuple[Measured, ...]) -> Difference | None:
    """L3: how it ended, and every metric within the tolerance. The first difference, or None."""
    if _end(was) != _end(now):
        return Difference(what="exit", was=_end(was), now=_end(now))
    judged = [each for each in measured if each.counts]
    for each in judged:
        if not each.within:
            return Difference(
                what="metrics", was=_number(each.was), now=_number(each.now), detail=each.name
            )
    if not judged:
        return Difference(what="metrics", was="none", now="none", detail="nothing was measured")
    return None


def cause(was: Side, now: Side) -> Difference:
    """Why the same image has come to something else: the first of what is known to matter."""
    for what, before, after in _circumstances(was, now):
        if before != after:
            return Difference(what=what, was=before, now=after)
    fixed = was.request.deterministic and now.request.deterministic
    detail = "it draws numbers that nothing has fixed"
    if not fixed:
        detail += ", or adds up in an order that changes: it ran without --deterministic"
    return Difference(what="seed", was="", now="", detail=detail)


def _circumstances(was: Side, now: Side) -> Iterator[tuple[str, str, str]]:
    yield "environment", _text(was.hardware, "python"), _text(now.hardware, "python")
    yield "driver", was.drivers, now.drivers
    yield "gpu", was.gpus, now.gpus
    yield "machine", _text(was.hardware, "cpu"), _text(now.hardware, "cpu")
    # How many threads add up decides in which order they do.
    yield "machine", f"{_text(was.hardware, 'cpus')} cores", f"{_text(now.hardware, 'cpus')} cores"


def _text(facts: dict[str, Any], name: str) -> str:
    return str(facts.get(name, ""))


def _measured(name: str, was: float | None, now: float | None, rtol: float) -> Measured:
    within = was is not None and now is not None and math.isclose(was, now, rel_tol=rtol)
    counts = _TIMES.fullmatch(name) is None
    return Measured(name=name, was=was, now=now, within=within, counts=counts)


def _end(side: Side) -> str:
    manifest = side.ended.manifest
    if manifest is None:
        return ""
    how = manifest.signal or manifest.exit_code
    return f"{manifest.state} ({how})"


def _words(command: tuple[str, ...]) -> str:
    import shlex

    return shlex.join(command)


def _data(request: Request) -> str:
    return ", ".join(sorted(f"{each.path}@{each.sha256}" for each in request.given))


def _variables(request: Request) -> str:
    return ", ".join(f"{name}={text}" for name, text in sorted(request.environment.items()))


def _number(value: float | None) -> str:
    return "none" if value is None else repr(value)
