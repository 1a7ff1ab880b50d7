from __future__ import annotations

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import budgeting, diagnosis, dispatch, idempotency, orders, refusal
from dispatcher.budget import Budget, Share
from dispatcher.budget_errors import GpuHoursExhausted
from dispatcher.places import Places
from dispatcher.request import Request, Resources
from dispatcher.run import UNPACKED, Usage, unreported
from dispatcher.store import RunKeys, Runs
from packer.record import encode
from tests.unit.sendoff.test_reference import run


@pytest.fixture
def places(places: Places) -> Places:
    return replace(places, budget=Budget(gpu_hours=2))


def request(group: str = "g", key: str = "") -> Request:
    return replace(
        run("x-aaaaaa").request,
        group=group,
        resources=Resources(gpu="h100"),
        timeout=3600,
        idempotency_key=key,
    )


def ended(places: Places, run_id: str, asked: Request, hours: float) -> None:
    runs, made = Runs.at(places), replace(run(run_id), request=asked)
    idempotency.named_by_key(made, runs)
    runs.add(made)
    manifest = unreported(made, 0, 1)
    runs.commit(replace(manifest, usage=Usage(wall=hours * 3600)))


def test_a_group_is_charged_for_its_own_runs(places: Places) -> None:
    ended(places, "a-aaaaaa", request(), 0.5)
    ended(places, "b-bbbbbb", request(), 0.25)
    ended(places, "c-cccccc", request("other"), 8)
    assert budgeting.used(request(), places) == Share(spent=0.75)
    assert budgeting.used(request(), places, but="a-aaaaaa") == Share(spent=0.25)
    assert budgeting.used(request("none"), places) == Share()
    budgeting.check(request(), places)
    ended(places, "d-dddddd", request(key="k"), 0.5)
    with pytest.raises(GpuHoursExhausted, match=r"take 1 GPU-hours, and 0\.75 are left"):
        budgeting.check(request(), places)
    # The same request again begins nothing new.
    with budgeting.held(replace(run("e-eeeeee"), request=request(key="k")), places):
        pass


def test_nothing_is_written_of_what_a_budget_refuses(places: Places) -> None:
    ended(places, "a-aaaaaa", request(), 1.5)
    refused = replace(run("e-eeeeee"), request=request(key="k"))
    for send in (dispatch.submit, dispatch.order):
        with pytest.raises(GpuHoursExhausted):
            send(refused, places)
    assert Runs.at(places).ids() == ["a-aaaaaa"]
    assert Runs.at(places).store.names("idempotency/") == []


def test_what_was_refused_is_charged_once_its_key_has_started_it(places: Places) -> None:
    asked = request(key="k")
    runs, made = Runs.at(places), replace(run("a-aaaaaa"), request=asked)
    idempotency.named_by_key(made, runs)
    runs.add(made)
    refusal.write(made.id, runs, "failed", diagnosis.of_start(OSError("no")))
    assert budgeting.used(request(), places) == Share()
    refusal.withdraw(made.id, runs)
    runs.commit(replace(unreported(made, 0, 1), usage=Usage(wall=1800)))
    assert budgeting.used(request(), places) == Share(spent=0.5)


def test_earlier_attempts_are_charged_as_the_bill_has_them(places: Places) -> None:
    ended(places, "a-aaaaaa", request(), 0.5)
    runs, made = Runs.at(places), replace(run("b-bbbbbb"), request=request())
    runs.add(made)
    first = replace(unreported(made, 0, 1), usage=Usage(wall=1800))
    runs.store.put(RunKeys(made.id).interrupted(0, 1), encode(first))
    runs.commit(replace(unreported(made, 0, 2), usage=Usage(wall=900)))
    assert budgeting.used(request(), places) == Share(spent=1.25)
    assert budgeting.used(request(), places) == Share(spent=1.25)


def test_runs_that_have_ended_are_read_once(places: Places) -> None:
    for number in range(2000):
        ended(places, f"x-{number:06}", request("other" if number % 2 else "g"), 0.001)
    assert budgeting.used(request(), places).spent == pytest.approx(1)
    # From now on they need not even be readable.
    for path in Path(places.store, "runs").glob("*/0/manifest.json"):
        path.write_text("damaged")
    ended(places, "new-aaaaaa", request(), 0.25)
    places, took = replace(places, budget=Budget(gpu_hours=9)), []
    for turn in range(3):
        began = time.perf_counter()
        with budgeting.held(replace(run(f"y-{turn}"), request=request()), places):
            took.append(time.perf_counter() - began)
    assert min(took) < 0.1
    assert budgeting.used(request(), places).spent == pytest.approx(1.25)


def test_what_goes_on_is_looked_at_each_time(places: Places) -> None:
    runs, order = Runs.at(places), replace(run("a-aaaaaa"), request=request())
    unpacked = replace(order, snapshot=UNPACKED, environment=UNPACKED)
    with orders.held(order.id, places):
        runs.order(unpacked)
        assert budgeting.used(request(), places) == Share(reserved=1, under_way=1)
        # Another group's are not looked at, and not forgotten.
        assert budgeting.used(request("other"), places) == Share()
        assert budgeting.used(request(), places) == Share(reserved=1, under_way=1)
        ended(places, "b-bbbbbb", request(), 0.5)
        orders.answer(order.id, "b-bbbbbb", runs)
        assert budgeting.used(request(), places) == Share(spent=0.5)
        assert budgeting.used(request(), places) == Share(spent=0.5)
    (kept,) = (places.state / "spent").glob("*.json")
    kept.write_text("damaged")
    assert budgeting.used(request(), places) == Share(spent=0.5)
    # Another store is another matter.
    elsewhere = replace(places, store=f"{places.store}-2")
    assert budgeting.used(request(), elsewhere) == Share()


def test_without_a_budget_the_store_is_not_read(places: Places) -> None:
    unlimited = replace(places, budget=Budget(), store="/proc/nowhere")
    with budgeting.held(replace(run("e-eeeeee"), request=request()), unlimited):
        budgeting.check(request(), replace(unlimited, budget=None))
