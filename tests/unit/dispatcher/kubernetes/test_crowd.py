"""What a Job says of thousands of pods, so that nobody need ask for them."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher.kubernetes.crowd import CrowdEye, all_run
from dispatcher.kubernetes.objects import Meta
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.run_objects import Job, JobSpec, JobStatus


class NobodyAsked:
    """A client that must not be used."""

    paths = Paths("ns")

    def get(self, *_: object, **__: object) -> bytes:
        raise AssertionError("the pods were asked for")


def job(**status) -> Job:
    return Job(metadata=Meta(name="a"), spec=JobSpec(completions=5), status=JobStatus(**status))


RUNNING = job(active=3, ready=3, completed_indexes="0", failed_indexes="4")


def test_where_all_are_ready_no_pod_is_asked_for():
    eye = CrowdEye(NobodyAsked(), "a")
    seen = eye.look(RUNNING)
    assert {index: (each.state, each.placed) for index, each in seen.items()} == dict.fromkeys(
        (1, 2, 3), ("running", True)
    )
    assert eye.look(RUNNING) is seen
    later = job(active=2, ready=2, completed_indexes="0,2", failed_indexes="4")
    assert eye.look(later).keys() == {1, 3}


@pytest.mark.parametrize(
    "other",
    [
        job(),
        job(active=3, ready=2, completed_indexes="0-1"),
        job(active=3, ready=3, completed_indexes="0"),
        job(completed_indexes="0-4"),
        msgspec.structs.replace(
            RUNNING, metadata=Meta(name="a", deletion_timestamp="2026-01-01T00:00:00Z")
        ),
    ],
    ids=["none yet", "one not ready", "one between two pods", "all over", "being deleted"],
)
def test_where_the_job_does_not_say_so_they_are_asked_for(other):
    assert not all_run(other)
    with pytest.raises(AssertionError, match="asked for"):
        CrowdEye(NobodyAsked(), "a").look(other)
