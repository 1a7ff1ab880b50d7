"""A create that may have been done or not, against a server that says so."""

from __future__ import annotations

import json

import pytest

from dispatcher.kubernetes import doubt, job
from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ClusterFailing, ClusterUnreachable
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.submission import Submission
from tests.faults.faults import Answer, LoseAnswer
from tests.faults.proxy import Proxy
from tests.unit.dispatcher.kubernetes.conftest import run_of

RUN = run_of()
MISSING = Answer(404, body=b'{"code": 404, "message": "jobs.batch \\"train-abc234\\" not found"}')
JOB = json.dumps(
    {
        "metadata": {
            "name": RUN.id,
            "uid": "u-1",
            "annotations": {job.SPEC: job.spec_hash(RUN.request)},
        }
    }
).encode()


@pytest.fixture
def submission(api_settings: ClusterSettings) -> Submission:
    return Submission(Client(api_settings), api_settings)


def send(submission: Submission) -> str:
    return submission.send(RUN, Choice(), lambda _: {}).metadata.uid


def pauses(api: Proxy) -> list[float]:
    """Seconds between each answer and the next request."""
    return [
        after.began - before.answered for before, after in zip(api.log, api.log[1:], strict=False)
    ]


def test_the_servers_own_pause_before_a_create_is_kept(api: Proxy, submission: Submission) -> None:
    api.on("POST", "/jobs", Answer(503, {"Retry-After": "1"}, b"busy"))
    api.on("GET", "/jobs/", MISSING, times=9)
    api.on("POST", "/jobs", Answer(201, body=JOB))
    api.on("POST", "/secrets", Answer(500, {"Retry-After": "1"}))
    api.on("POST", "/secrets", Answer(201, body=b"{}"))
    assert send(submission) == "u-1"
    asked = [each.method for each in api.log]
    assert asked == ["POST", "GET", "POST", "POST", "POST"]
    waited = pauses(api)
    assert min(waited[0], waited[3]) >= 1
    assert waited[1] < 0.5


def test_a_create_that_keeps_failing_says_what_was_answered(
    api: Proxy, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "PATIENCE", 1.5)
    words = b'{"message": "failed calling webhook \\"policy.example\\": refused"}'
    api.on("POST", "/jobs", Answer(500, body=words), times=99)
    api.on("GET", "/jobs/", MISSING, times=99)
    with pytest.raises(ClusterFailing) as caught:
        send(submission)
    assert caught.value.status == 500
    assert "policy.example" in caught.value.evidence()
    assert caught.value.waited >= 1.5
    assert len(api.seen("POST")) < 10
    assert api.log[-1].method == "GET", "the last create was looked for as well"


def test_a_server_that_never_answers_a_create_is_said_not_to(
    api: Proxy, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "PATIENCE", 0.3)
    api.on("POST", "/jobs", LoseAnswer(), times=99)
    api.on("GET", "/jobs/", MISSING, times=99)
    with pytest.raises(ClusterUnreachable):
        send(submission)


def test_what_the_last_create_made_is_found(
    api: Proxy, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "PATIENCE", 0.0)
    api.on("POST", "/jobs", Answer(504, {"Retry-After": "3600"}))
    api.on("GET", "/jobs/", Answer(200, body=JOB))
    api.on("POST", "/secrets", Answer(201, body=b"{}"))
    assert send(submission) == "u-1"
    assert len(api.seen("POST", "/jobs")) == 1


def test_a_pause_without_end_is_not_waited_for(
    api: Proxy, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "LONGEST_WAIT", 0.2)
    api.on("POST", "/jobs", Answer(503, {"Retry-After": "3600"}), times=2)
    api.on("GET", "/jobs/", MISSING, times=9)
    api.on("POST", "/jobs", Answer(201, body=JOB))
    api.on("POST", "/secrets", Answer(201, body=b"{}"))
    assert send(submission) == "u-1"
