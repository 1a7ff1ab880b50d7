"""`sendoff.diff`: in what two runs or digests differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dispatcher.comparison import show
from packer.digest import Digest
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.reproduction import differences
from packer.reproduction.differences import Changed, Facts
from sendoff import shelves
from sendoff.reproduction import original as originals
from sendoff.reproduction.original import Original
from sendoff.terminal.console import visible

if TYPE_CHECKING:
    import os

SECTIONS = ("files", "packages", "base", "request", "hardware", "metrics", "outputs")


class Diff(Record, frozen=True):
    """Two images, and the runs of them that were looked at."""

    was: Digest
    now: Digest
    runs: tuple[str, str]
    """Empty where an image never ran."""
    files: tuple[Changed, ...]
    packages: tuple[Changed, ...]
    base: tuple[Changed, ...]
    """Of the base image, Python and the platform."""
    request: tuple[Changed, ...]
    hardware: tuple[Changed, ...]
    metrics: tuple[Changed, ...]
    outputs: tuple[Changed, ...]
    """Files that the runs wrote."""
    unknown: tuple[str, ...] = ()
    """What could not be read."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(getattr(self, section) for section in SECTIONS)


def diff(
    was: str,
    now: str,
    *,
    project: str | os.PathLike[str] = ".",
    progress: Progress = SILENT,
) -> Diff:
    """What is not the same in two runs or digests, each named as for `reproduce`.

    Raises:
        DigestUnknown, DigestAmbiguous, NoRunImage, RecordNewer, RunUnknown, Misuse
        SendoffError: what the registry and the store raise.
    """
    (before, facts), (after, others) = (_look(name, Path(project), progress) for name in (was, now))
    changes = differences.changes
    return Diff(
        was=before.image.digest,
        now=after.image.digest,
        runs=(before.run, after.run),
        files=changes(facts.files, others.files),
        packages=changes(facts.packages, others.packages),
        base=changes(_base(facts), _base(others)),
        request=changes(facts.request | _request(before), others.request | _request(after)),
        hardware=changes(_hardware(before), _hardware(after)),
        metrics=changes(_metrics(before), _metrics(after)),
        outputs=changes(_outputs(before), _outputs(after)),
        unknown=(*facts.unknown, *others.unknown),
    )


def document(found: Diff) -> dict[str, Any]:
    """The machine's form."""
    fields = {
        name: msgspec.to_builtins(getattr(found, name), enc_hook=str)
        for name in found.__struct_fields__
    }
    return {**fields, "same": found.same}


def lines(found: Diff) -> Iterator[str]:
    """The differences for people: a line each, below what they are of."""
    yield f"was  {found.was}  {found.runs[0]}".rstrip()
    yield f"now  {found.now}  {found.runs[1]}".rstrip()
    for section in SECTIONS:
        changed: tuple[Changed, ...] = getattr(found, section)
        if changed:
            yield ""
            yield f"{section}:"
            yield from (f"  {_line(each)}" for each in changed)
    for each in found.unknown:
        yield f"unknown: {visible(each)}"
    if found.same and not found.unknown:
        yield "nothing differs"


_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_SHOWN = 60


def _line(changed: Changed) -> str:
    told = {
        "added": _short(changed.now),
        "removed": _short(changed.was),
        "changed": f"{_short(changed.was)} → {_short(changed.now)}",
    }[changed.how]
    return f"{_SIGNS[changed.how]} {visible(changed.name)}  {visible(told)}"


def _short(text: str) -> str:
    words = (word[:12] if len(word) == 64 else word for word in text.split(" "))  # noqa: PLR2004
    joined = " ".join(words)
    return joined if len(joined) <= _SHOWN else joined[:_SHOWN] + "…"


def _look(name: str, project: Path, progress: Progress) -> tuple[Original, Facts]:
    session, inner = shelves.opened(name, project)
    shelf = shelves.reading(session)
    original = originals.one(inner, session, shelf)
    return original, differences.facts(original.image, shelf, progress)


def _base(facts: Facts) -> dict[str, str]:
    return {"image": facts.base, "python": facts.python, "platform": facts.platform}


_OF_IMAGE = frozenset(
    {"inputs", "repository", "name", "group", "project", "environment", "resources"}
)


def _request(original: Original) -> dict[str, str]:
    """What the run was asked for besides what its image says."""
    request = original.request
    asked = {name: getattr(request, name) for name in request.__struct_fields__}
    asked |= {
        name: getattr(request.resources, name) for name in request.resources.__struct_fields__
    }
    texts = {
        name: f"{value:g}" if isinstance(value, (int, float)) else _json(value)
        for name, value in asked.items()
        if name not in _OF_IMAGE and value
    }
    return texts | {f"${name}": text for name, text in request.environment.items()}


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value, enc_hook=str), sort_keys=True)


def _hardware(original: Original) -> dict[str, str]:
    manifest = original.ended.manifest if original.ended else None
    if manifest is None:
        return {}
    facts = {name: value for name, value in manifest.hardware.items() if name != "gpus"}
    gpus = manifest.hardware.get("gpus") or ()
    own = {
        f"gpu {number} {key}": value
        for number, gpu in enumerate(gpus)
        for key, value in gpu.items()
    }
    return {name: str(value) for name, value in _alike({**facts, **own}).items()}


def _alike(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what tells one of many equal machines, pods, or cards, from another."""
    own = ("host", "uuid", "serial")
    return {name: value for name, value in facts.items() if not name.endswith(own)}


def _metrics(original: Original) -> dict[str, str]:
    found = original.ended.metrics if original.ended else {}
    return {name: show(value) for name, value in found.items()}


def _outputs(original: Original) -> dict[str, str]:
    manifest = original.ended.manifest if original.ended else None
    return {file.path: f"{file.size} {file.sha256}" for file in manifest.files} if manifest else {}
