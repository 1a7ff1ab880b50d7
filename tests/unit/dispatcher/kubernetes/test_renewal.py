from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import msgspec
import pytest

from dispatcher.credentials import Credentials
from dispatcher.kubernetes import job as jobs
from dispatcher.kubernetes import renewal
from dispatcher.kubernetes.errors import ApiForbidden, ClusterUnreachable
from dispatcher.kubernetes.renewal import Renewal
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.target import KubernetesTarget
from dispatcher.store import DirectoryStore, RunKeys, Runs
from tests.unit.dispatcher.kubernetes.conftest import run_of

DAY = 86_400.0
MADE = time.time() - 30 * DAY
"""When the Job was made: a while ago, so that renewing now is late in any case."""


def stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


JOB = msgspec.convert({"metadata": {"name": "r", "creationTimestamp": stamp(MADE)}}, Job)


class Cluster:
    """The cluster's clock, and what it was given; `error` is what it answers."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.now = MADE
        self.given: list[Credentials] = []
        self.error: Exception | None = None

    def renew(self, job: Job, credentials: Credentials) -> None:
        assert job is JOB
        if self.error:
            raise self.error
        self.given.append(credentials)

    def looker(self) -> Renewal:
        """Somebody who looks at the run."""

        def issue() -> Credentials:
            expires = stamp(time.time() + 6 * DAY)
            return Credentials(access_key="a", secret_key="b", session_token="c", expires=expires)

        return Renewal(run_of(), self.runs, self, issue, life=3 * DAY, clock=lambda: self.now)


@pytest.fixture
def cluster(tmp_path) -> Cluster:
    return Cluster(Runs(DirectoryStore(str(tmp_path))))


def test_nothing_is_renewed_before_its_time(cluster):
    looker = cluster.looker()
    for days in (0, 1, 1.99):
        cluster.now = MADE + days * DAY
        looker.round(JOB)
    assert not cluster.given


def test_what_was_renewed_is_left_alone_by_everybody_until_its_own_time(cluster):
    first, second = cluster.looker(), cluster.looker()
    cluster.now = MADE + 2.01 * DAY
    first.round(JOB)
    assert len(cluster.given) == 1
    for looker in (first, second, cluster.looker()):
        looker.round(JOB)
    cluster.now = time.time() + 3.9 * DAY
    for looker in (first, second, cluster.looker()):
        looker.round(JOB)
    assert len(cluster.given) == 1
    cluster.now = time.time() + 4.1 * DAY
    second.round(JOB)
    assert len(cluster.given) == 2


def test_what_can_not_be_done_now_is_tried_again_and_spoils_no_look(cluster):
    looker = cluster.looker()
    cluster.now = MADE + 2.5 * DAY
    cluster.error = ClusterUnreachable("https://cluster", "no route", 5)
    looker.round(JOB)
    cluster.error = None
    looker.round(JOB)
    assert not cluster.given, "not at once"
    cluster.now += 700
    looker.round(JOB)
    assert len(cluster.given) == 1


def test_a_damaged_note_of_the_last_time_is_written_anew(cluster):
    cluster.runs.store.put(RunKeys(run_of().id).renewal, b'{"for')
    cluster.now = MADE + 2.5 * DAY
    cluster.looker().round(JOB)
    cluster.looker().round(JOB)
    assert len(cluster.given) == 1


def test_who_may_not_leaves_it_to_others(cluster):
    looker = cluster.looker()
    cluster.now = MADE + 2.5 * DAY
    cluster.error = ApiForbidden("create", "secrets", "lab", "no")
    looker.round(JOB)
    cluster.error = None
    cluster.now += 10 * DAY
    looker.round(JOB)
    assert not cluster.given
    cluster.looker().round(JOB)
    assert len(cluster.given) == 1


def test_a_run_that_outlives_its_credentials_is_known_beforehand():
    settings = ClusterSettings()
    sweep = run_of(1000, max_parallel=4, timeout=3600.0).request
    found = renewal.outlived(sweep, settings, "")
    assert (found.commands, found.credentials) == (250 * 3600, 7 * DAY)
    assert renewal.outlived(run_of(1000, timeout=3600.0).request, settings, "") is None
    assert renewal.outlived(run_of(timeout=0.0).request, settings, "") is None
    role = renewal.outlived(run_of(timeout=DAY).request, settings, "arn:aws:iam::1:role/runs")
    assert role.credentials == DAY / 2


def test_what_a_queue_may_keep_for_any_time_has_the_longest_there_are(bucket):
    """No deadline runs while Kueue keeps a Job suspended."""
    places = msgspec.structs.replace(bucket, cluster=ClusterSettings(longest=DAY))
    files = KubernetesTarget(places)._files(run_of(timeout=0.0), JOB, 0)
    expires = datetime.fromisoformat(json.loads(files["credentials.json"])["expires"])
    assert expires.timestamp() - time.time() == pytest.approx(7 * DAY, abs=60)


@pytest.mark.parametrize(("waiting", "days"), [(0.0, 7), (3600.0, 6.36)])
def test_credentials_are_asked_for_as_long_as_the_job_may_last(bucket, waiting, days):
    """Waves, further attempts and the queue all count: a day and one time limit would not do."""
    settings = ClusterSettings(queue_timeout=waiting)
    places = msgspec.structs.replace(bucket, cluster=settings)
    sweep = run_of(80, max_parallel=4, timeout=3600.0)
    files = KubernetesTarget(places)._files(sweep, JOB, 0)
    expires = datetime.fromisoformat(json.loads(files["credentials.json"])["expires"])
    lasting = min(jobs.deadline(sweep.request, settings), 7 * DAY)
    assert expires.timestamp() - time.time() == pytest.approx(lasting, abs=60)
    assert lasting == pytest.approx(days * DAY, rel=0.01)
