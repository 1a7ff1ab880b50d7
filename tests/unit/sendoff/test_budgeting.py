from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher.budget import Share
from dispatcher.budget_errors import GpuHoursExhausted
from dispatcher.request import Request, Resources
from dispatcher.run import Usage, unreported
from sendoff import budgeting
from sendoff.session import Session
from tests.unit.sendoff.test_reference import run


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in ("CACHE", "DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setenv("SENDOFF_BUDGET_GPU_HOURS", "2")
    return Session.open(tmp_path)


def request(group: str = "g", key: str = "") -> Request:
    return replace(
        run("x-aaaaaa").request,
        group=group,
        resources=Resources(gpu="h100"),
        timeout=3600,
        idempotency_key=key,
    )


def ended(session: Session, run_id: str, asked: Request, hours: float) -> None:
    runs, made = session.runs(), replace(run(run_id), request=asked)
    runs.add(made)
    manifest = unreported(made, 0, 1)
    runs.commit(replace(manifest, usage=Usage(wall=hours * 3600)))


def test_a_group_is_charged_for_its_own_runs(session: Session) -> None:
    ended(session, "a-aaaaaa", request(), 0.5)
    ended(session, "b-bbbbbb", request(), 0.25)
    ended(session, "c-cccccc", request("other"), 8)
    assert budgeting.used(session, request()) == Share(spent=0.75)
    assert budgeting.used(session, request(), but="a-aaaaaa") == Share(spent=0.25)
    assert budgeting.used(session, request("none")) == Share()
    budgeting.check(session, request())
    ended(session, "d-dddddd", request(key="k"), 0.5)
    with pytest.raises(GpuHoursExhausted, match=r"take 1 GPU-hours, and 0\.75 are left"):
        budgeting.check(session, request())
    # The same request again begins nothing new.
    with budgeting.held(session, request(key="k")):
        pass


def test_without_a_budget_the_store_is_not_read(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDOFF_BUDGET_GPU_HOURS", "0")
    monkeypatch.setenv("SENDOFF_STORE", "/proc/nowhere")
    unlimited = Session.open(session.project)
    with budgeting.held(unlimited, request()):
        budgeting.check(unlimited, request())
