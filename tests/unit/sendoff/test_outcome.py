from __future__ import annotations

import msgspec
import pytest

from dispatcher.run import Failure, Manifest, Phases, Usage
from dispatcher.status import IndexStatus
from packer.digest import Digest
from sendoff import outcome


def status(state: str, exit_code: int | None = None, signal: str = "") -> IndexStatus:
    manifest = Manifest(
        run="r",
        index=0,
        attempt=1,
        digest=Digest.of(b""),
        command=("x",),
        state=state,  # type: ignore[arg-type]
        exit_code=exit_code,
        signal=signal,
        usage=Usage(wall=3.2),
    )
    return IndexStatus(index=0, state=manifest.state, exit_code=exit_code, manifest=manifest)


@pytest.mark.parametrize(
    ("index", "code", "words"),
    [
        (status("succeeded", 0), 0, "succeeded in 3.2 s"),
        (status("failed", 3), 3, "failed with exit code 3 after 3.2 s"),
        (status("failed", None, "SIGKILL"), 137, "failed by SIGKILL after 3.2 s"),
        (status("failed", 0), 125, "failed after 3.2 s"),
        (status("timed-out", None, "SIGTERM"), 124, "timed out after 3.2 s"),
        (status("cancelled", None, "SIGTERM"), 130, "cancelled after 3.2 s"),
        (IndexStatus(index=0, state="lost"), 125, "lost"),
        (IndexStatus(index=0, state="running"), 125, "running"),
    ],
)
def test_codes_and_words(index: IndexStatus, code: int, words: str) -> None:
    assert outcome.exit_code(index) == code
    assert outcome.sentence(index) == words


@pytest.mark.parametrize(("code", "signal"), [(0, ""), (1, ""), (None, "SIGTERM")])
def test_idle_gpus(code: int | None, signal: str) -> None:
    idle = Failure(code="GPU_IDLE", phase="run", blame="user", retryable=False, message="idle")
    index = msgspec.structs.replace(status("failed", code, signal), failure=idle)
    assert outcome.exit_code(index) == 125
    assert outcome.sentence(index) == "failed for want of work for its GPUs after 3.2 s"


def test_what_nobody_timed_took_no_time_that_is_known() -> None:
    unknown = status("failed")
    assert unknown.manifest
    manifest = msgspec.structs.replace(unknown.manifest, usage=Usage())
    assert outcome.sentence(msgspec.structs.replace(unknown, manifest=manifest)) == "failed"
    manifest = msgspec.structs.replace(manifest, phases=Phases(running=4.0))
    words = outcome.sentence(msgspec.structs.replace(unknown, manifest=manifest))
    assert words == "failed after 4.0 s"


def test_several() -> None:
    assert outcome.of_all(["succeeded", "succeeded"]) == 0
    assert outcome.of_all(["succeeded", "cancelled"]) == 1
