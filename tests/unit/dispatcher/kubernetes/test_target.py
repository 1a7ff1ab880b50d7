"""Whether a run was started, and what is seen of one that was not, by what an API server says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import diagnosis, dispatch, refusal
from dispatcher.kubernetes.errors import QuotaExceeded
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.target import KubernetesTarget
from dispatcher.places import Places
from dispatcher.run import Run, now
from dispatcher.store import RunKeys, Runs
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.unit.dispatcher.kubernetes.conftest import run_of

MISSING = Answer(404, body=b'{"code": 404, "message": "jobs.batch \\"train-abc234\\" not found"}')
NOTHING = Answer(200, body=b'{"metadata": {}, "items": []}')
DYING = {"deletionTimestamp": "2026-11-24T03:12:00Z"}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}
LOG, CANCEL = "0/1/log/000000.jsonl", "cancel.json"


@pytest.fixture
def places(tmp_path: Path, api_settings: ClusterSettings) -> Places:
    return Places(
        layout=tmp_path / "layout",
        store=str(tmp_path / "store"),
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        cluster=api_settings,
    )


@pytest.fixture
def run(places: Places, api: Proxy) -> Run:
    """One whose record was just written; the cluster has no pods."""
    made = replace(run_of(), created=now())
    Runs.at(places).add(made)
    api.on("GET", "/pods", NOTHING, times=9)
    return made


def job(metadata: dict, status: dict) -> Answer:
    found = {"metadata": {"name": "train-abc234", "uid": "u-1", **metadata}, "status": status}
    return Answer(200, body=json.dumps(found).encode())


@pytest.mark.parametrize(
    ("answer", "stored", "started"),
    [
        (MISSING, (), False),
        (MISSING, (LOG,), True),
        (MISSING, (CANCEL,), True),
        (job({}, {}), (), True),
        (job(DYING, {}), (), False),
        (job(DYING, {}), (LOG,), False),
        (job(DYING, {}), (LOG, CANCEL), True),
        (job(DYING, COMPLETE), (), True),
    ],
    ids=[
        "nothing",
        "a Job that is gone",
        "cancelled",
        "a Job",
        "deleted",
        "deleted while it ran",
        "deleted because it was cancelled",
        "deleted after its end",
    ],
)
def test_whether_a_run_was_started(
    places: Places, api: Proxy, answer: Answer, stored: tuple[str, ...], *, started: bool
) -> None:
    api.on("GET", "/jobs/", answer)
    prefix = RunKeys("train-abc234").prefix
    for name in stored:
        Runs.at(places).store.put(prefix + name, b"{}")
    assert KubernetesTarget(places).started("train-abc234") is started


def test_a_run_whose_job_is_just_being_made_is_queued(places: Places, run: Run, api: Proxy) -> None:
    api.on("GET", "/jobs/", MISSING)
    assert dispatch.status(run.id, places).state == "queued"


def test_a_run_whose_job_was_refused_has_failed_at_once(
    places: Places, run: Run, api: Proxy
) -> None:
    api.on("GET", "/jobs/", MISSING)
    failure = diagnosis.of_start(QuotaExceeded("lab", "exceeded quota: no-jobs"))
    refusal.write(run.id, Runs.at(places), "failed", failure)
    (index,) = dispatch.status(run.id, places).indexes
    assert (index.state, index.failure) == ("failed", failure)
    assert (failure.code, failure.blame, failure.retryable) == ("QUOTA", "capacity", True)


def test_a_job_that_was_made_is_believed_before_its_refusal(
    places: Places, run: Run, api: Proxy
) -> None:
    refusal.write(run.id, Runs.at(places), "failed", diagnosis.of_start(OSError("lost")))
    api.on("GET", "/jobs/", job({"creationTimestamp": now()}, {"active": 1}))
    api.on("GET", "/events", NOTHING, times=9)
    assert dispatch.status(run.id, places).state == "queued"


def test_a_run_that_nobody_came_to_start_is_lost_in_the_end(places: Places, api: Proxy) -> None:
    old = replace(run_of(), id="train-old222")
    Runs.at(places).add(old)
    api.on("GET", "/jobs/", MISSING)
    api.on("GET", "/pods", NOTHING)
    (index,) = dispatch.status(old.id, places).indexes
    assert index.failure
    assert (index.state, index.failure.code) == ("lost", "JOB_GONE")
    assert "nothing shows that it was ever made" in index.failure.evidence[0]
