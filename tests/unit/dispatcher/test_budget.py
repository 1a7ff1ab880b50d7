from __future__ import annotations

import math
from datetime import datetime

import pytest
from msgspec.structs import replace

from dispatcher import budget, usage
from dispatcher.budget import Budget, Demand, Share
from dispatcher.budget_errors import GpuHoursExhausted, RunsExhausted, TimeoutNeeded
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Manifest, Phases, Usage
from dispatcher.status import IndexStatus
from dispatcher.usage import Held
from packer.digest import Digest

DIGEST = Digest.of(b"")
AN_HOUR_AGO = "2026-11-24T03:00:00Z"
NOW = datetime.fromisoformat("2026-11-24T04:00:00Z").timestamp()


def request(gpu: str, count: int = 1, timeout: float = 3600, **others: int) -> Request:
    return Request(
        inputs=(Input(command=("x",), digest=DIGEST),) * count,
        repository="/r",
        resources=Resources(gpu=gpu),
        timeout=timeout,
        **others,
    )


def ended(index: int, wall: float) -> IndexStatus:
    manifest = Manifest(
        run="r",
        index=index,
        attempt=1,
        digest=DIGEST,
        command=("x",),
        state="succeeded",
        exit_code=0,
        usage=Usage(wall=wall),
    )
    return IndexStatus(index=index, state="succeeded", manifest=manifest)


def share(asked: Request, indexes: list[IndexStatus], *earlier: Held) -> Share:
    held = [*usage.of_statuses(asked, indexes, NOW), *earlier]
    return budget.share(asked, indexes, held, NOW)


@pytest.mark.parametrize(
    ("asked", "hours", "at_once"),
    [
        (request("h100"), 1, 1),
        (request("h100:2", 3, 1800), 3, 3),
        (request("h100,a100-80gb:4"), 4, 1),
        (request("a100:mig-1g.5gb"), 1, 1),
        (request("", 5), 0, 5),
        (request("cpu", 5, 0), 0, 5),
        (request("h100", 8, max_parallel=2), 8, 2),
        (request("h100", timeout=0), math.inf, 1),
        (request("whatever this machine has"), 1, 1),
    ],
)
def test_what_a_request_may_come_to(asked: Request, hours: float, at_once: int) -> None:
    found = budget.demand(asked)
    assert (found.hours, found.indexes) == (hours, at_once)


def test_what_has_ended_counts_by_what_it_took_and_the_rest_by_its_time_out() -> None:
    asked = request("h100:2", 4)
    indexes = [
        ended(0, 900),
        IndexStatus(index=1, state="lost"),
        IndexStatus(index=2, state="running"),
        IndexStatus(index=3, state="queued"),
    ]
    found = share(asked, indexes)
    assert found == Share(spent=0.5, reserved=4, under_way=2)
    assert share(replace(asked, max_parallel=1), indexes).under_way == 1
    assert budget.total([found, found]) == Share(spent=1, reserved=8, under_way=4)
    assert share(request(""), [ended(0, 900)]) == Share()


def test_what_goes_on_counts_by_what_it_took_so_far_and_what_is_left_of_its_time_out() -> None:
    asked = request("h100:2", 2)
    indexes = [
        IndexStatus(index=0, state="running", started=AN_HOUR_AGO, attempts=2),
        IndexStatus(index=1, state="running", started="2026-11-24T03:30:00Z"),
    ]
    # Half an hour of the second is left, nothing of the first; an earlier attempt took its own.
    earlier = Held(gpu="h100", count=2, phases=Phases(running=900))
    assert share(asked, indexes, earlier) == Share(spent=3.5, reserved=1, under_way=2)


def test_what_fits_exactly_fits() -> None:
    limits, used = Budget(gpu_hours=0.3, runs=3), Share(spent=0.1, reserved=0.1, under_way=1)
    budget.judge(limits, "g", used, Demand(gpus=1, hours=0.1, indexes=2))
    with pytest.raises(GpuHoursExhausted) as refused:
        budget.judge(limits, "g", used, Demand(gpus=1, hours=0.11, indexes=1))
    assert "0.1 are left" in str(refused.value)
    assert not refused.value.retryable
    with pytest.raises(RunsExhausted) as many:
        budget.judge(limits, "g", used, Demand(gpus=0, hours=0, indexes=3))
    assert many.value.retryable
    assert "wait until" in many.value.fix()
    with pytest.raises(RunsExhausted) as more:
        budget.judge(limits, "", Share(), Demand(gpus=0, hours=0, indexes=4))
    assert more.value.fix() == "let fewer run at once: --max-parallel 3"


def test_without_an_end_nothing_fits_a_limit_of_hours() -> None:
    endless = budget.demand(request("h100", timeout=0))
    with pytest.raises(TimeoutNeeded):
        budget.judge(Budget(gpu_hours=1), "g", Share(), endless)
    budget.judge(Budget(runs=1), "g", Share(), endless)
    budget.judge(Budget(gpu_hours=1), "g", Share(spent=2), budget.demand(request("", timeout=0)))
    assert not Budget()
