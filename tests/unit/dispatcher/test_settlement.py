"""What is committed of indexes whose runner wrote nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.run import Failure, OutputFile, unreported
from dispatcher.settlement import Settlement
from dispatcher.store import DirectoryStore, RunKeys, Runs
from packer.record import encode
from tests.unit.dispatcher.docker.test_container import run as run_of

FEW, MANY = 4, 40
GONE = Failure(code="GONE", phase="run", blame="infra", retryable=True, message="it is gone")


@pytest.fixture
def runs(tmp_path) -> Runs:
    return Runs(DirectoryStore(str(tmp_path)))


@pytest.mark.parametrize("inputs", [FEW, MANY])
def test_a_cancelled_run_is_all_of_its_indexes(runs, inputs):
    run = run_of(inputs)
    runs.store.put(RunKeys(run.id).cancel, b"{}")
    settled = Settlement(run, runs).cancelled(range(inputs))
    assert {each.state for each in settled.values()} == {"cancelled"}
    assert [runs.manifest(run.id, index) for index in range(inputs)] == list(settled.values())


@pytest.mark.parametrize("inputs", [FEW, MANY])
def test_a_cancelled_index_is_that_one(runs, inputs):
    run = run_of(inputs)
    runs.store.put(RunKeys(run.id).cancel_index(2), b"{}")
    assert set(Settlement(run, runs).cancelled(range(inputs))) == {2}


def test_what_another_has_committed_counts(runs):
    run = run_of(FEW)
    runs.store.put(RunKeys(run.id).cancel, b"{}")
    done = replace(unreported(run, 1, 1), state="succeeded")
    runs.commit(done)
    assert Settlement(run, runs).cancelled((1,)) == {1: done}


def test_what_an_attempt_has_saved_is_kept(runs):
    run = run_of(FEW)
    file = OutputFile(path="a", size=1, sha256="0" * 64)
    saved = replace(unreported(run, 0, 2), files=(file,))
    runs.store.put(RunKeys(run.id).interrupted(0, 2), encode(saved))
    ends = Settlement(run, runs)
    (made,) = ends.each((0,), lambda index: ends.commit(index, GONE)).values()
    assert (made.state, made.attempt, made.files) == ("failed", 2, (file,))
