"""What is told of a run from what an engine says of its containers."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec
import pytest

from dispatcher.docker.container import PLACE_LABEL, PLACES_LABEL, RUN_LABEL
from dispatcher.docker.engine import Engine
from dispatcher.docker.state import ContainerState, EngineFacts, facts
from dispatcher.docker.state import state as of_listed
from dispatcher.docker.view import DockerView
from dispatcher.run import now
from dispatcher.runner.exit_status import INTERRUPTED
from dispatcher.store import DirectoryStore, RunKeys, Runs
from tests.unit.dispatcher.docker.test_container import run

CLOCK = 1_000_000.0
RUN = run(4)


@dataclass
class Said(Engine):
    """An engine that says so."""

    containers: tuple[ContainerState, ...]

    def states(self, run_id):
        assert run_id == RUN.id
        return self.containers

    def facts(self):
        return EngineFacts(runtimes=("runc",), memory=1 << 30, clock=CLOCK)

    def tail(self, name, lines):
        return f"said by {name}"[:99] * bool(lines)


def state(place: int, status: str, exit_code: int = 0, ago: float = 3600.0) -> ContainerState:
    return ContainerState(
        name=f"{RUN.id}-{place}",
        status=status,
        place=place,
        places=2,
        exit_code=exit_code,
        since=CLOCK - ago,
    )


@pytest.fixture
def lost(tmp_path):
    """Why nobody works on a run, by what an engine says of its containers."""
    runs = Runs(DirectoryStore(str(tmp_path)))
    return lambda *said, run=RUN: DockerView(run, Said(said), runs).look(range(4)).lost


@pytest.mark.parametrize("status", ["running", "restarting", "paused"])
def test_while_one_lives_nothing_is_lost(lost, status):
    assert lost(state(0, status), state(1, "exited", 74)) is None
    assert lost(state(0, status), state(1, "created")) is None


def test_a_container_that_nobody_started_is_lost(lost):
    failure = lost(state(0, "created"), state(1, "exited"))
    assert failure.code == "CONTAINER_LOST"
    assert "never started" in failure.message
    assert failure.retryable
    # Somebody may be just about to.
    assert lost(state(0, "created", ago=5), state(1, "exited")) is None


def test_a_missing_container_is_lost_but_not_at_once(lost):
    failure = lost(state(0, "exited"))
    assert failure.code == "CONTAINER_LOST"
    assert "gone" in failure.message
    assert lost(state(0, "exited", ago=5)) is None


def test_a_run_without_containers_is_lost_but_not_at_once(lost):
    assert lost().code == "CONTAINER_LOST"
    assert lost(run=msgspec.structs.replace(RUN, created=now())) is None


def test_the_container_that_failed_says_why(lost):
    failure = lost(state(0, "exited"), state(1, "exited", 74))
    assert (failure.code, failure.evidence) == ("UPLOAD_INCOMPLETE", (f"said by {RUN.id}-1",))
    assert (
        lost(state(0, "exited"), state(1, "exited")).message == "the runner ended without a result"
    )


class TestCancelled:
    """What is told of a run that somebody cancelled."""

    @pytest.fixture
    def told(self, tmp_path):
        """What becomes of each index, or why it is lost; None where neither is known."""

        def told(*said, mark="", run=RUN):
            runs = Runs(DirectoryStore(str(tmp_path)))
            runs.store.put(mark or RunKeys(RUN.id).cancel, b"{}")
            view = DockerView(run, Said(said), runs)
            sight = view.look(range(4))
            settled = view.settle(range(4))
            return [
                settled[index].state if index in settled else sight.lost and sight.lost.code
                for index in range(4)
            ]

        return told

    def test_what_no_runner_came_to_was(self, told):
        asked_to_end = [state(place, "exited", INTERRUPTED) for place in (0, 1)]
        assert told(*asked_to_end) == ["cancelled"] * 4

    def test_while_a_container_lives_its_runner_says_so(self, told):
        assert told(state(0, "exited", INTERRUPTED), state(1, "running")) == [None] * 4

    def test_nobody_waits_for_whoever_may_be_starting_it(self, told):
        assert told(run=msgspec.structs.replace(RUN, created=now())) == ["cancelled"] * 4
        assert told(state(0, "created", ago=5)) == ["cancelled"] * 4
        assert told(state(0, "exited", INTERRUPTED, ago=5)) == ["cancelled"] * 4

    def test_what_had_failed_by_itself_stays_so(self, told):
        before = [state(0, "exited", INTERRUPTED), state(1, "exited", 74)]
        assert told(*before) == ["cancelled"] * 2 + ["UPLOAD_INCOMPLETE"] * 2

    def test_one_index_alone(self, told):
        mark = RunKeys(RUN.id).cancel_index(1)
        assert told(mark=mark) == ["CONTAINER_LOST", "cancelled", *["CONTAINER_LOST"] * 2]


def test_what_an_engine_is():
    found = facts({"MemTotal": 5, "SystemTime": "2026-11-29T19:00:00.123456789Z"})
    assert (found.memory, found.runtimes) == (5, ())
    assert found.clock == pytest.approx(1_795_978_800.123, abs=0.001)
    assert time.gmtime(found.clock)[:4] == (2026, 11, 29, 19)


class Listed:
    """A container as the SDK gives it."""

    name = f"{RUN.id}-1"
    labels = {RUN_LABEL: RUN.id, PLACE_LABEL: "1", PLACES_LABEL: "2"}
    attrs = {
        "Created": "2026-11-29T18:00:00Z",
        "RestartCount": 3,
        "State": {"Status": "exited", "ExitCode": 0, "FinishedAt": "2026-11-29T19:00:00.5Z"},
    }


def test_what_a_container_is():
    found = of_listed(Listed())
    assert (found.run, found.place, found.places, found.restarts) == (RUN.id, 1, 2, 3)
    assert found.since == pytest.approx(1_795_978_800.5, abs=0.001)
