from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import budgeting, dispatch
from dispatcher.budget import Budget, Share
from dispatcher.budget_errors import GpuHoursExhausted
from dispatcher.places import Places
from dispatcher.request import Request, Resources
from dispatcher.run import Usage, unreported
from dispatcher.store import Runs
from tests.unit.sendoff.test_reference import run


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        layout=tmp_path / "layout",
        store=str(tmp_path / "store"),
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        budget=Budget(gpu_hours=2),
    )


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


def test_without_a_budget_the_store_is_not_read(places: Places) -> None:
    unlimited = replace(places, budget=Budget(), store="/proc/nowhere")
    with budgeting.held(replace(run("e-eeeeee"), request=request()), unlimited):
        budgeting.check(request(), replace(unlimited, budget=None))
