"""A run: one request and what became of it, as stored. docs/records.md has the formats."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any, Literal

from dispatcher.request import Request
from packer.digest import Digest
from packer.record import Record

RUN_FORMAT = "sendoff.run/1"
MANIFEST_FORMAT = "sendoff.manifest/1"

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "timed-out", "lost"]
UNPACKED = Digest.from_hex("0" * 64)
"""Stands for images that are still to be packed."""
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled", "timed-out", "lost"})


class Run(Record, frozen=True, tag_field="format", tag=RUN_FORMAT):
    """`runs/<run>/run.json`: written once, before anything is started."""

    id: str
    created: str
    """UTC, ISO 8601 with seconds: "2026-11-24T03:11:27Z"."""
    request: Request
    snapshot: Digest
    environment: Digest
    """The environment image."""
    namespace: str = ""
    """Of the cluster; empty where that of whoever looks is meant."""
    provenance: dict[str, Any] = {}
    """Facts for people, never relied on: git commit and dirty flag, sendoff's version, …"""
    warnings: tuple[str, ...] = ()
    """What packing warned of, each a sentence; the first of many."""


class OutputFile(Record, frozen=True):
    """One file that the command wrote."""

    path: str
    """Relative to the working directory (or to `$SENDOFF_OUTPUT_DIR`), "/"-separated."""
    size: int
    sha256: str


class Usage(Record, frozen=True):
    """What an attempt took, from the runner's own samples. Seconds, bytes, fractions of 1."""

    wall: float = 0
    cpu: float = 0
    """CPU seconds of the command and its children."""
    memory_peak: int = 0
    gpu_busy: float | None = None
    """Mean utilisation; None where there is no driver."""
    gpu_memory_peak: int | None = None


class Phases(Record, frozen=True):
    """Where an index's seconds went, one phase after the other; None where nobody knows."""

    queued: float | None = None
    """From the run being sent off until the index had its place: a node, or one of the slots."""
    pulling: float | None = None
    """Until its container was started: the image, and setting up; on `local`, unpacking."""
    starting: float | None = None
    """Until its command was started: the runner, the working directory, inputs."""
    running: float | None = None
    """Of the command."""
    uploading: float | None = None
    """Until all but the manifest was stored."""

    @property
    def held(self) -> float:
        """Seconds for which it had its place, as far as they are known."""
        return sum(filter(None, (self.pulling, self.starting, self.running, self.uploading)))


class Failure(Record, frozen=True):
    """Why an attempt did not succeed: the diagnosis of the design."""

    code: str
    """EXIT_NONZERO, TIMEOUT, OOM_HOST, OOM_GPU, SIGNAL, CORE_DUMP, UPLOAD_INCOMPLETE, …"""
    phase: str
    blame: Literal["user", "infra", "capacity", "config"]
    retryable: bool
    message: str
    evidence: tuple[str, ...] = ()
    fix: str = ""


class Manifest(Record, frozen=True, tag_field="format", tag=MANIFEST_FORMAT):
    """`runs/<run>/<index>/manifest.json`: written last; its presence is the commit."""

    run: str
    index: int
    attempt: int
    digest: Digest
    command: tuple[str, ...]
    state: State
    exit_code: int | None
    """The command's own; None where a signal ended it."""
    signal: str = ""
    """Such as "SIGKILL"; empty where it exited."""
    core_dumped: bool = False
    failure: Failure | None = None
    files: tuple[OutputFile, ...] = ()
    warnings: tuple[str, ...] = ()
    """Codes such as NO_OUTPUTS, each with a sentence: "NO_OUTPUTS: …"."""
    started: str = ""
    ended: str = ""
    """UTC, ISO 8601 with milliseconds."""
    usage: Usage = Usage()
    phases: Phases = Phases()
    hardware: dict[str, Any] = {}
    """Host, CPU model and count, memory; GPUs with name, memory and driver where there are any."""


def now() -> str:
    """The time as records have it: UTC, ISO 8601 with seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def unreported(run: Run, index: int, attempt: int, started: str = "") -> Manifest:
    """The manifest of an index whose runner has written none: failed, as of now.

    Where it is known when the attempt `started` (UTC, ISO 8601), all since then counts as running.
    Whoever commits it adds why.
    """
    asked, ended = run.request.inputs[index], datetime.now(UTC)
    ran = None
    if started:
        ran = max(0.0, (ended - datetime.fromisoformat(started)).total_seconds())
    return Manifest(
        run=run.id,
        index=index,
        attempt=attempt,
        digest=asked.digest,
        command=asked.command,
        state="failed",
        exit_code=None,
        started=started,
        ended=f"{ended.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z",
        usage=Usage(wall=ran or 0),
        phases=Phases(running=ran),
    )


_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_id(name: str) -> str:
    """A fresh run id: `name` made fit for a DNS label (at most 40 letters), and six random ones."""
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    stem = "-".join(filter(None, stem.lower().split("-")))[:40].strip("-") or "run"
    if not stem[0].isalpha():
        stem = "r" + stem
    # `secrets` would do the same, and take 5 ms to import.
    number, letters = int.from_bytes(os.urandom(16), "big"), ""
    for _ in range(6):
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return f"{stem}-{letters}"
