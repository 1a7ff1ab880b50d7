"""The phases of pods whose runners left no word, from what the API server stamps."""

from __future__ import annotations

from dispatcher.kubernetes.objects import Condition, Meta
from dispatcher.kubernetes.pod_phases import of_pod
from dispatcher.kubernetes.run_objects import (
    ContainerState,
    ContainerStatus,
    Job,
    Pod,
    PodAnnotations,
    PodMeta,
    PodStatus,
    Running,
    Terminated,
)
from dispatcher.kubernetes.trouble import seconds
from dispatcher.run import Phases


def at(second: int) -> str:
    return f"2026-11-24T03:11:{second:02}Z"


JOB = Job(metadata=Meta(creation_timestamp=at(0)))


def pod(placed: int | None = None, failures: int = 0, **state) -> Pod:
    conditions = [] if placed is None else [("True", at(placed))]
    return Pod(
        metadata=PodMeta(
            creation_timestamp=at(2), annotations=PodAnnotations(failures=str(failures))
        ),
        status=PodStatus(
            conditions=[
                Condition(type="PodScheduled", status=status, last_transition_time=when)
                for status, when in conditions
            ],
            container_statuses=[ContainerStatus(state=ContainerState(**state))] if state else [],
        ),
    )


def test_a_container_that_ended_has_all_but_what_only_a_runner_knows():
    ended = Terminated(started_at=at(20), finished_at=at(50))
    assert of_pod(JOB, pod(5, terminated=ended)) == Phases(queued=5, pulling=15, running=30)
    # Another attempt did not wait since the Job was made.
    again = of_pod(JOB, pod(5, failures=1, terminated=ended))
    assert again == Phases(queued=3, pulling=15, running=30)


def test_a_pod_that_is_given_up_has_waited_until_now():
    now = seconds(at(40))
    assert of_pod(JOB, pod(), now) == Phases(queued=40)
    assert of_pod(JOB, pod(10), now) == Phases(queued=10, pulling=30)
    running = Running(started_at=at(30))
    assert of_pod(JOB, pod(10, running=running), now) == Phases(queued=10, pulling=20, running=10)


def test_nothing_is_made_up():
    assert of_pod(JOB, pod()) == Phases()
    assert of_pod(JOB, pod(10)) == Phases(queued=10)
    # Stamps that contradict each other.
    odd = Terminated(started_at=at(5), finished_at=None)
    assert of_pod(JOB, pod(10, terminated=odd)) == Phases(queued=10)
