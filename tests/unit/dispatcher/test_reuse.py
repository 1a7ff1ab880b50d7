from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import reuse
from dispatcher.request import Data, Input, Request, Resources
from dispatcher.run import Manifest, Run, new_id
from dispatcher.store import DirectoryStore, Runs
from packer.digest import Digest

IMAGE = Digest.of(b"image")
REQUEST = Request(inputs=(Input(command=("true",), digest=IMAGE),) * 2, repository="/r")


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(DirectoryStore(str(tmp_path)))


def ended(runs: Runs, *states: str, request: Request = REQUEST, at: int = 1) -> Run:
    run = Run(id=new_id("r"), created="", request=request, snapshot=IMAGE, environment=IMAGE)
    runs.add(run)
    reuse.mark(run, runs, at)
    for index, state in enumerate(states):
        runs.commit(
            Manifest(
                run=run.id,
                index=index,
                attempt=1,
                digest=IMAGE,
                command=("true",),
                state=state,  # type: ignore[arg-type]
                exit_code=0,
            )
        )
    return run


def test_the_newest_that_succeeded_answers(runs: Runs) -> None:
    assert reuse.find(REQUEST, runs) is None
    ended(runs, "succeeded", "succeeded", at=1)
    newest = ended(runs, "succeeded", "succeeded", at=2)
    ended(runs, "succeeded", "failed", at=3)
    ended(runs, "succeeded", at=4)
    assert reuse.find(REQUEST, runs) == newest


def test_what_decides_a_result_decides_the_key() -> None:
    data = Data(sha256=64 * "a", size=1, path="x")
    others = [
        replace(REQUEST, inputs=REQUEST.inputs[:1]),
        replace(REQUEST, data=(data,)),
        replace(REQUEST, environment={"A": "1"}),
        replace(REQUEST, resources=Resources(gpu="h100")),
        replace(REQUEST, outputs=("*.bin",)),
        replace(REQUEST, target="kubernetes"),
    ]
    assert len({reuse.key(each) for each in (REQUEST, *others)}) == 7
    same = replace(REQUEST, name="other", group="g", timeout=9.0, idempotency_key="k", retries=2)
    assert reuse.key(same) == reuse.key(REQUEST)


def test_a_mark_without_a_run_answers_nothing(runs: Runs) -> None:
    run = Run(id=new_id("r"), created="", request=REQUEST, snapshot=IMAGE, environment=IMAGE)
    reuse.mark(run, runs, 1)
    assert reuse.find(REQUEST, runs) is None
