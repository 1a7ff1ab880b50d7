"""What an image is told of each run of it: the document that is attached when the run has ended.

With it the digest alone says how often it ran, on what, and what came of it, on any machine that
reaches the registry. docs/records.md has the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby

from msgspec.structs import replace

from dispatcher import formats, logs, metrics, results
from dispatcher.metrics import MEASURING
from dispatcher.places import Places
from dispatcher.run import Manifest, Run
from dispatcher.runner.keys import RunKeys
from dispatcher.store import Missing, Runs
from packer.digest import Digest
from packer.record import Record, encode
from packer.registry.artifact import Artifact

FORMAT = "sendoff.referral/1"
KIND = "application/vnd.sendoff.run.v1+json"
"""The artifact type."""
RUN, STATE = "io.sendoff.run", "io.sendoff.state"
CREATED = "org.opencontainers.image.created"

_LARGEST = 4 << 20
"""Bytes of a document beyond which manifests are left to the store."""
_FEW = 64
"""Indexes of a run up to which their output is read once more at its end."""
_MEASURED = 16 << 20
"""Bytes of output that are read for metrics, once more, at a run's end."""


class Ended(Record, frozen=True):
    """One index of the run."""

    index: int
    results: Digest
    """Of its `manifest.json` in the store."""
    manifest: Manifest | None = None
    """That manifest; None where all of them together are too large for a document."""
    metrics: dict[str, float] = {}
    printed: str = ""
    """Hex sha256 of its standard output; empty where that is large."""


class Referral(Record, frozen=True, tag_field="format", tag=FORMAT):
    """One run, as far as it is of one image."""

    run: Run
    """Its record, without inputs of other images, and without those that left nothing."""
    indexes: tuple[Ended, ...]
    """One for each of these inputs."""


def of_run(run: Run, places: Places) -> dict[Digest, Referral]:
    """What each image of a run that has ended is told.

    Raises:
        RunUnknown, ResultAltered, RecordUnreadable; StoreFailed.
    """
    runs = Runs.at(places)
    asked = sorted(enumerate(run.request.inputs), key=lambda pair: (pair[1].digest, pair[0]))
    told = {}
    for digest, group in groupby(asked, key=lambda pair: pair[1].digest):
        few = len(asked) <= _FEW
        ended = [(_ended(runs, run, number, places, few=few), one) for number, one in group]
        pairs = [(each, one) for each, one in ended if each]
        request = replace(run.request, inputs=tuple(one for _, one in pairs), idempotency_key="")
        told[digest] = Referral(
            run=replace(run, request=request), indexes=tuple(each for each, _ in pairs)
        )
    return told


def of_index(run: Run, index: int, places: Places) -> Ended | None:
    """What came of one index; None while it has no manifest.

    Raises:
        As `of_run`.
    """
    return _ended(Runs.at(places), run, index, places, few=True)


def artifact(referral: Referral) -> Artifact:
    """The document, ready to be attached: the same bytes whoever makes it."""
    data = encode(referral)
    if len(data) > _LARGEST:
        bare = tuple(replace(each, manifest=None) for each in referral.indexes)
        data = encode(replace(referral, indexes=bare))
    states = {each.manifest.state for each in referral.indexes if each.manifest}
    facts = {RUN: referral.run.id, CREATED: referral.run.created}
    if len(states) == 1:
        facts[STATE] = states.pop()
    return Artifact(kind=KIND, data=data, name=f"{referral.run.id}.json", annotations=facts)


def read(data: bytes, what: str) -> Referral:
    """The document that `artifact` made.

    Raises:
        RecordNewer, RecordUnreadable
    """
    return formats.read(what, data, Referral)


def _ended(runs: Runs, run: Run, number: int, places: Places, *, few: bool) -> Ended | None:
    try:
        data = runs.store.get(RunKeys(run.id).manifest(number))
    except Missing:
        return None
    manifest = formats.read(RunKeys(run.id).manifest(number), data, Manifest)
    if not few:
        return Ended(index=number, results=Digest.of(data), manifest=manifest)
    printed = _printed(run.id, number, places)
    measuring = sum(file.size for file in manifest.files if MEASURING.fullmatch(_name(file.path)))
    found = {}
    if measuring <= _MEASURED:
        openers = results.openers(run.id, number, places)
        found = {
            name: metric.value for name, metric in metrics.collect(openers, printed or ()).items()
        }
    return Ended(
        index=number,
        results=Digest.of(data),
        manifest=manifest,
        metrics={name: value for name, value in found.items() if value - value == 0},
        printed=_sha256(printed) if printed is not None else "",
    )


def _printed(run: str, number: int, places: Places) -> list[str] | None:
    """The standard output in pieces; None where there is too much of it."""
    pieces, size = [], 0
    for text in _stdout(run, number, places):
        pieces.append(text)
        size += len(text)
        if size > _MEASURED:
            return None
    return pieces


def _stdout(run: str, number: int, places: Places) -> Iterator[str]:
    for event in logs.follow(run, number, places, follow=False):
        if event.stream == "stdout":
            yield event.text


def _sha256(pieces: list[str]) -> str:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece.encode(errors="surrogateescape"))
    return hashed.hexdigest()


def _name(path: str) -> str:
    return path.rpartition("/")[2]
