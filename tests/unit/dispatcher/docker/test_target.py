"""Runs of which an engine starts some containers and refuses others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import dispatch
from dispatcher.docker import target, traces
from dispatcher.docker.container import PLACE_LABEL, PLACES_LABEL, RUN_LABEL
from dispatcher.docker.engine import Engine
from dispatcher.docker.errors import EngineWithoutGpus
from dispatcher.docker.state import ContainerState, EngineFacts
from dispatcher.places import Places
from dispatcher.run import UNPACKED, Run, now, unreported
from dispatcher.store import RunKeys, Runs
from tests.unit.dispatcher.docker.test_container import run as run_of

INPUTS = 20
PLACES = 4
EACH = INPUTS // PLACES


@dataclass
class StandIn(Engine):
    """An engine in memory, which refuses to start the containers of some places."""

    made: dict[str, ContainerState] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    def facts(self) -> EngineFacts:
        return EngineFacts(runtimes=("runc",), memory=1 << 30, clock=time.time())

    def pull(self, image: str) -> None:
        assert "@sha256:" in image

    def start(self, keywords, files) -> None:
        labels, name = keywords["labels"], keywords["name"]
        place = int(labels[PLACE_LABEL])
        if name in self.made:
            return
        if place in self.refused:
            raise EngineWithoutGpus(1, f"no device for {place} with {len(files)} files")
        self.made[name] = ContainerState(
            name=name,
            status="running",
            run=labels[RUN_LABEL],
            place=place,
            places=int(labels[PLACES_LABEL]),
            since=time.time(),
        )

    def states(self, run_id: str) -> tuple[ContainerState, ...]:
        return tuple(state for _, state in sorted(self.made.items()) if state.run == run_id)

    def sweep(self, unneeded: Callable[[ContainerState], bool], *, but: str) -> None:
        for name, state in list(self.made.items()):
            if state.run != but and unneeded(state):
                del self.made[name]

    def tail(self, name: str, lines: int) -> str:
        return f"said by {name}"[: 99 * lines]

    def ends(self, run: Run, place: int, exit_code: int, restarts: int = 0) -> None:
        """The container of a place ends so, and was started again so often before."""
        name = f"{run.id}-{place}"
        self.made[name] = replace(
            self.made[name],
            status="exited",
            exit_code=exit_code,
            restarts=restarts,
            since=time.time(),
        )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn()
    monkeypatch.setattr(target, "Engine", lambda: made)
    return made


@pytest.fixture
def run() -> Run:
    """One of several containers, not sent off yet."""
    made = run_of(INPUTS, max_parallel=PLACES, idempotency_key="k")
    return replace(made, created=now())


def refuse(run: Run, places: Places) -> None:
    with pytest.raises(EngineWithoutGpus):
        dispatch.submit(run, places)


def attempt(run: Run, index: int, places: Places) -> None:
    """What an attempt at an index leaves in the store."""
    Runs.at(places).store.put(RunKeys(run.id).log(index, 1, 0), b"")


class TestOrderedAgain:
    """What an order by the key of a run that was refused is told."""

    def order(self, run: Run, places: Places) -> str:
        inputs = tuple(replace(each, digest=UNPACKED) for each in run.request.inputs)
        order = replace(
            run,
            id="train-bbbbbb",
            request=replace(run.request, inputs=inputs),
            snapshot=UNPACKED,
            environment=UNPACKED,
        )
        return dispatch.order(order, places).id

    def first_is_refused(self, engine: StandIn, run: Run, places: Places) -> None:
        """Index 0 is of a container that is gone without a trace, and can't be started again."""
        dispatch.submit(run, places)
        del engine.made[f"{run.id}-0"]
        engine.refused = {0}
        refuse(run, places)

    def test_where_nothing_was_started_it_is_a_run_of_its_own(self, engine, run, places):
        engine.refused = {0}
        refuse(run, places)
        assert self.order(run, places) == "train-bbbbbb"

    def test_where_the_first_was_started_it_is_that_run(self, engine, run, places):
        engine.refused = {2}
        refuse(run, places)
        assert self.order(run, places) == run.id
        for place in range(2):
            engine.ends(run, place, 74)
        assert self.order(run, places) == run.id

    def test_where_others_than_the_first_go_on_it_is_that_run(self, engine, run, places):
        self.first_is_refused(engine, run, places)
        assert self.order(run, places) == run.id

    def test_where_others_than_the_first_ended_it_is_that_run(
        self, engine, run, places, monkeypatch
    ):
        self.first_is_refused(engine, run, places)
        for place in range(1, PLACES):
            engine.ends(run, place, 77)
        assert dispatch.status(run.id, places).indexes[0].failure.code == "GPU_IMPOSSIBLE"
        assert self.order(run, places) == run.id
        # Their containers are gone, and what they left in the store tells.
        for index in range(EACH, INPUTS):
            attempt(run, index, places)
        engine.made.clear()
        read, manifest = [], Runs.manifest
        monkeypatch.setattr(
            Runs, "manifest", lambda *given: read.append(given[2]) or manifest(*given)
        )
        assert self.order(run, places) == run.id
        assert set(read) == {0}


class TestRefusedStarts:
    """What a run tells whose containers were not all started."""

    def test_it_says_so_at_once(self, engine, run, places):
        engine.refused = {0}
        refuse(run, places)
        status = dispatch.status(run.id, places)
        assert (status.state, status.final) == ("failed", True)
        assert {each.failure.code for each in status.indexes} == {"GPU_IMPOSSIBLE"}

    def test_what_goes_on_goes_on_beside_what_was_refused(self, engine, run, places):
        engine.refused = {2}
        refuse(run, places)
        status = dispatch.status(run.id, places)
        assert not status.final
        states = [each.state for each in status.indexes]
        assert states == ["queued"] * 2 * EACH + ["failed"] * 2 * EACH
        assert status.indexes[-1].failure.code == "GPU_IMPOSSIBLE"

    def test_what_was_started_tells_of_its_own_end(self, engine, run, places):
        engine.refused = {2}
        refuse(run, places)
        attempt(run, 0, places)
        for place in range(2):
            engine.ends(run, place, 77)
        status = dispatch.status(run.id, places)
        states = [each.state for each in status.indexes]
        assert states == ["lost"] * 2 * EACH + ["failed"] * 2 * EACH
        codes = [status.indexes[index].failure.code for index in (0, EACH, INPUTS - 1)]
        assert codes == ["STORE_FAILED", "STORE_FAILED", "GPU_IMPOSSIBLE"]

    def test_started_by_its_key_it_goes_on(self, engine, run, places):
        engine.refused = {2}
        refuse(run, places)
        engine.refused = set()
        assert dispatch.submit(run, places).id == run.id
        assert dispatch.status(run.id, places).state == "queued"


class TestSwept:
    """What the next run leaves of the containers of an earlier one."""

    @pytest.fixture
    def left(self, engine, run, places):
        """The places whose containers are left when another run has been started."""

        def left() -> set[int]:
            other = replace(run_of(1), id="other-bcdefg")
            target.DockerTarget(places).claim(other.id).start(other)
            return {state.place for state in engine.states(run.id)}

        dispatch.submit(run, places)
        return left

    def commit(self, run: Run, indexes: range, places: Places) -> None:
        for index in indexes:
            manifest = replace(unreported(run, index, 1), state="succeeded", exit_code=0)
            Runs.at(places).commit(manifest)

    def test_what_ended_well_at_its_first_start_is_gone(self, engine, run, left):
        engine.ends(run, 0, 0)
        engine.ends(run, 1, 80)
        engine.ends(run, 2, 74)
        assert left() == {2, 3}

    def test_one_whose_inputs_have_no_tries_left_tells_why(self, engine, run, places, left):
        for place in range(PLACES):
            engine.ends(run, place, 0, restarts=int(place == 2))
        # Of the others everything is stored; of this one all but the last input.
        self.commit(run, range(3 * EACH - 1), places)
        self.commit(run, range(3 * EACH, INPUTS), places)
        lost = dispatch.status(run.id, places).indexes[3 * EACH - 1]
        assert (lost.state, lost.failure.evidence) == ("lost", (f"said by {run.id}-2",))
        assert left() == {2}
        self.commit(run, range(3 * EACH - 1, 3 * EACH), places)
        assert left() == set()

    def test_one_whose_inputs_have_no_tries_left_is_gone_after_a_day(self, engine, run, left):
        engine.ends(run, 0, 0, restarts=1)
        name = f"{run.id}-0"
        engine.made[name] = replace(engine.made[name], since=time.time() - 24 * 3600 - 60)
        assert left() == {1, 2, 3}

    def test_one_of_another_store_is_left_for_its_day(self, engine, run, places, left):
        engine.ends(run, 0, 0, restarts=1)
        self.commit(run, range(EACH), places)
        (Path(places.store) / RunKeys(run.id).record).unlink()
        assert left() == {0, 1, 2, 3}

    def test_one_with_many_inputs_is_left_for_its_day(self, engine, run, places, left, monkeypatch):
        monkeypatch.setattr(traces, "_FEW", EACH - 1)
        engine.ends(run, 0, 0, restarts=1)
        self.commit(run, range(EACH), places)
        assert left() == {0, 1, 2, 3}
