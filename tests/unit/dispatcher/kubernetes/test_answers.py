from __future__ import annotations

import json

import pytest

from dispatcher.kubernetes import answers
from dispatcher.kubernetes.errors import (
    ApiForbidden,
    ApiRejected,
    NamespaceMissing,
    QuotaExceeded,
)

JOBS = "/apis/batch/v1/namespaces/lab/jobs"


def status(message: str, **more) -> bytes:
    return json.dumps({"kind": "Status", "message": message, **more}).encode()


def test_a_right_that_is_missing_is_named():
    words = (
        'jobs.batch is forbidden: User "alice" cannot create resource "jobs" in API group "batch" '
        'in the namespace "lab"'
    )
    error = answers.error(403, status(words), "POST", JOBS)
    assert isinstance(error, ApiForbidden)
    assert (error.verb, error.resource, error.namespace) == ("create", "jobs", "lab")
    assert str(error) == "not allowed to create jobs in the namespace lab"
    assert "alice" in error.evidence()
    words = 'User "alice" cannot list resource "nodes" in API group "" at the cluster scope'
    assert "in the cluster" in str(answers.error(403, status(words), "GET", "/api/v1/nodes"))


def test_a_refusal_in_other_words_is_named_by_what_was_asked():
    error = answers.error(403, b"<html>no</html>", "DELETE", f"{JOBS}/r")
    assert (error.verb, error.resource, error.namespace) == ("delete", "jobs", "lab")
    assert "<html>" in error.evidence()


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (403, ('jobs.batch "r" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, '
              "used: count/jobs.batch=5, limited: count/jobs.batch=5"), QuotaExceeded),
        (403, 'jobs.batch "r" is forbidden: violates policy', ApiRejected),
        (403, 'admission webhook "x" denied the request: no', ApiRejected),
        (404, 'namespaces "lab" not found', NamespaceMissing),
        (404, 'jobs.batch "r" not found', answers.Refusal),
        (409, 'jobs.batch "r" already exists', answers.Refusal),
        (410, "too old resource version", answers.Refusal),
        (422, 'Job.batch "r" is invalid', ApiRejected),
        (413, "Request entity too large", ApiRejected),
    ],
)  # fmt: skip
def test_other_refusals(code, words, kind):
    error = answers.error(code, status(words), "POST", JOBS)
    assert type(error) is kind
    assert (
        words[:40] in (getattr(error, "evidence", lambda: "")() + str(error))
        or code == 404
        or (kind is QuotaExceeded and "exceeded quota" in error.evidence())
    )


def test_what_may_work_later():
    assert answers.transient(422, b"", "") is None
    busy = answers.transient(429, status("slow down"), "7")
    assert (busy.retry_after, busy.sent) == (7, False)
    failing = answers.transient(500, status("etcd", details={"retryAfterSeconds": 3}), "")
    assert (failing.retry_after, failing.sent) == (3, True)
    assert answers.transient(503, b"nonsense", "Wed, 21 Oct 2026 07:28:00 GMT").retry_after == 0
