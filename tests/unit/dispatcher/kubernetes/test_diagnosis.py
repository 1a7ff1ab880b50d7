"""What a run's failure is called, from what a cluster says. The words are real clusters' own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from dispatcher.kubernetes.diagnosis import Situation, diagnose
from dispatcher.kubernetes.objects import Event, Node, Workload
from dispatcher.kubernetes.pod_waits import given_up
from dispatcher.kubernetes.run_objects import Job, Pod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble

SETTINGS = ClusterSettings()
MADE = "2026-11-24T10:00:00Z"
AT = 1_795_514_400.0
NO_NODE = "0/3 nodes are available: "


def job(**status: Any) -> Job:
    spec = {"suspend": status.pop("suspend", False)}
    labels = {"kueue.x-k8s.io/queue-name": "research"} if spec["suspend"] else {}
    metadata = {"name": "r", "uid": "j", "creationTimestamp": MADE, "labels": labels}
    return msgspec.convert({"metadata": metadata, "spec": spec, "status": status}, Job)


JOB = job()


def pod(phase: str = "Pending", *, node: str = "", deleted: str = "", **status: Any) -> Pod:
    metadata = {
        "name": "r-0-abcde",
        "uid": "p",
        "creationTimestamp": MADE,
        "deletionTimestamp": deleted,
        "labels": {"batch.kubernetes.io/job-completion-index": "0", "sendoff.io/run": "r"},
    }
    spec = {"nodeName": node}
    return msgspec.convert(
        {"metadata": metadata, "spec": spec, "status": {"phase": phase, **status}}, Pod
    )


def event(reason: str, message: str, kind: str = "Pod", first: float = 0, last: float = 0) -> Event:
    """`first` and `last` are so many seconds after MADE."""
    return msgspec.convert(
        {
            "metadata": {"uid": message},
            "involvedObject": {"kind": kind, "name": "r"},
            "reason": reason,
            "message": message,
            "firstTimestamp": after(first),
            "lastTimestamp": after(max(first, last)),
        },
        Event,
    )


def after(later: float) -> str:
    return (datetime.fromisoformat(MADE) + timedelta(seconds=later)).isoformat()


def placed(later: float) -> dict:
    condition = {"type": "PodScheduled", "status": "True", "lastTransitionTime": after(later)}
    return {"conditions": [condition]}


def waiting(reason: str, message: str = "") -> dict:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "command", "state": state}]}


def ended(code: int, reason: str = "Error", message: str = "") -> dict:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "command", "state": state}]}


def unscheduled(message: str) -> dict:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    return {"conditions": [condition]}


def disrupted(reason: str, message: str = "") -> dict:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
    return {"conditions": [{**condition, "message": message}]}


def found(
    pod: Pod | None = None,
    *events: Event,
    job: Job | None = None,
    **more: Any,
) -> Trouble:
    situation = Situation(job=job or JOB, pod=pod, events=events, **more)
    trouble = diagnose(situation, SETTINGS)
    assert trouble
    return trouble


@pytest.mark.parametrize(
    ("message", "code", "blame"),
    [
        (NO_NODE + "3 Insufficient nvidia.com/gpu.", "QUEUED", "capacity"),
        (
            NO_NODE + "1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. "
            "preemption: 0/3 nodes are available: 3 No preemption victims found.",
            "QUEUED",
            "capacity",
        ),
        (NO_NODE + "3 Too many pods.", "QUEUED", "capacity"),
        (
            NO_NODE + "3 node(s) didn't match Pod's node affinity/selector.",
            "UNSCHEDULABLE",
            "config",
        ),
        (NO_NODE + "3 node(s) had untolerated taint(s).", "UNSCHEDULABLE", "config"),
    ],
)
def test_no_place_is_either_busy_or_wrong(message, code, blame):
    trouble = found(pod(**unscheduled(message)))
    assert (trouble.failure.code, trouble.failure.blame) == (code, blame)
    assert trouble.failure.evidence[0].startswith(NO_NODE)
    assert "preemption" not in trouble.failure.evidence[0]
    assert trouble.over(AT + 10**6) is (code == "UNSCHEDULABLE"), "a queue is waited for"
    assert not trouble.over(AT + 60)


def test_a_place_that_was_only_taken_may_be_missing_for_as_long_as_any():
    nowhere = pod(**unscheduled(NO_NODE + "3 node(s) were unschedulable."))
    hour = event("FailedScheduling", NO_NODE + "3 Insufficient nvidia.com/gpu.", last=3600)
    trouble = found(nowhere, hour)
    assert trouble.failure.code == "UNSCHEDULABLE"
    assert not trouble.over(AT + 3600 + 899)
    assert trouble.over(AT + 3600 + 900)


PULL = 'failed to pull and unpack image "r.example/x@sha256:6105d6cc": '


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("ErrImagePull", PULL + "r.example/x@sha256:6105d6cc: not found", "DIGEST_GONE"),
        (
            "ImagePullBackOff",
            'Back-off pulling image "x": ErrImagePull: ' + PULL + "not found",
            "DIGEST_GONE",
        ),
        (
            "ErrImagePull",
            PULL + "failed to resolve reference: pull access denied, repository does not exist or "
            "may require authorization: authorization failed: no basic auth credentials",
            "REGISTRY_AUTH",
        ),
        (
            "ErrImagePull",
            PULL + "unexpected status from HEAD request to http://r/v2/: 401 Unauthorized",
            "REGISTRY_AUTH",
        ),
        ("ErrImagePull", PULL + "unexpected status code 503 Service Unavailable", "IMAGE_PULL"),
        ("ErrImagePull", PULL + "dial tcp: lookup r.example: no such host", "IMAGE_PULL"),
        ("ErrImagePull", PULL + "read: connection reset by peer", "IMAGE_PULL"),
        ("InvalidImageName", 'Failed to apply default image tag "X@": invalid', "IMAGE_PULL"),
    ],
)
def test_an_image_that_does_not_come(reason, message, code):
    trouble = found(pod(node="n", **waiting(reason, message)))
    assert trouble.failure.code == code
    assert message[:400] in "\n".join(trouble.failure.evidence)
    soon = code != "IMAGE_PULL" or reason == "InvalidImageName"
    assert trouble.over(AT + 31) is soon, "what is wrong stays wrong, what is slow may come"


@pytest.mark.parametrize(
    ("message", "grace"), [(PULL + "503 Service Unavailable", 900), (PULL + "not found", 30)]
)
def test_an_image_has_its_time_from_when_it_first_did_not_come(message, grace):
    pulling = pod(node="n", **waiting("ErrImagePull", message), **placed(3600))
    trouble = found(pulling)
    assert not trouble.over(AT + 3600 + grace - 1), "it had waited for its turn"
    trouble = found(pulling, event("Failed", message, first=5000, last=6000))
    assert not trouble.over(AT + 5000 + grace - 1), "and then it was pulled for long"
    assert trouble.over(AT + 5000 + grace)


def test_a_kubelet_that_only_backs_off_is_explained_by_events():
    backing_off = pod(node="n", **waiting("ImagePullBackOff", 'Back-off pulling image "x"'))
    assert found(backing_off).failure.code == "IMAGE_PULL"
    said = event("Failed", "Failed to pull image: manifest unknown")
    assert found(backing_off, said).failure.code == "DIGEST_GONE"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('secret "sendoff" not found', "SECRET_MISSING"),
        ("couldn't find key TOKEN in Secret lab/sendoff", "SECRET_MISSING"),
        ("container has runAsNonRoot and image will run as root", "POD_REFUSED"),
    ],
)
def test_a_container_that_can_not_be_configured(message, code):
    trouble = found(pod(node="n", **waiting("CreateContainerConfigError", message)))
    assert (trouble.failure.code, trouble.failure.blame) == (code, "config")
    assert trouble.over(AT + 31)


def test_a_slow_start_is_said_with_the_kubelets_words():
    mount = event("FailedMount", 'MountVolume.SetUp failed for volume "config"')
    trouble = found(pod(node="n", **waiting("ContainerCreating")), mount)
    assert trouble.failure.code == "STARTING"
    assert "MountVolume" in trouble.failure.evidence[0]
    late = given_up(trouble, "train-abc234")
    assert late.failure.code == "PENDING_TIMEOUT"
    assert "900 s" in late.failure.message
    assert "sendoff rerun train-abc234" in late.failure.fix


def test_nobody_says_anything_of_a_pod():
    assert diagnose(Situation(job=job(), pod=pod(), now=AT + 9), SETTINGS) is None
    trouble = found(pod(), now=AT + 11)
    assert (trouble.failure.code, trouble.failure.blame) == ("STARTING", "infra")
    assert trouble.failure.message == "no scheduler has looked at the pod"
    assert not trouble.over(AT + 899)
    assert given_up(trouble, "r").failure.code == "PENDING_TIMEOUT"


def test_a_node_does_nothing_with_a_pod_that_it_was_given_late():
    late = pod(node="n", **placed(60))
    assert diagnose(Situation(job=job(), pod=late, now=AT + 69), SETTINGS) is None
    trouble = found(late, now=AT + 71)
    assert trouble.failure.message == "n has not begun with the pod"
    assert trouble.failure.fix == "kubectl describe node n"


def test_a_pod_on_its_way_is_no_trouble():
    assert diagnose(Situation(job=job(), pod=pod()), SETTINGS) is None
    running = pod("Running", node="n", containerStatuses=[])
    assert diagnose(Situation(job=job(), pod=running), SETTINGS) is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (('Error creating: pods "r-0-x" is forbidden: exceeded quota: q, requested: '
         "requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=8, limited: 8"), "QUOTA"),
        (('Error creating: pods "r-0-x" is forbidden: violates PodSecurity "restricted:latest": '
         "allowPrivilegeEscalation != false"), "POD_SECURITY"),
        (('Error creating: pods "r-0-" is forbidden: error looking up service account lab/default: '
         'serviceaccount "default" not found'), "SERVICE_ACCOUNT_MISSING"),
        ("Error creating: admission webhook denied the request", "POD_REFUSED"),
    ],
)  # fmt: skip
def test_a_job_without_pods_says_why_in_its_events_only(message, code):
    trouble = found(None, event("FailedCreate", message, "Job"))
    assert trouble.failure.code == code
    assert "FailedCreate: " + message[:400] in trouble.failure.evidence[0]


def test_a_job_that_has_just_been_made_is_no_trouble():
    assert diagnose(Situation(job=job()), SETTINGS) is None


def test_a_deadline_is_the_jobs_word():
    over = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "Job was"}
    trouble = found(pod("Failed", **ended(75)), job=job(conditions=[over]))
    assert trouble.failure.code == "DEADLINE"
    assert trouble.over(AT)


QUOTA = event("FailedCreate", "pods is forbidden: exceeded quota: gpus", "Job", first=1, last=9)
MADE_ONE = event("SuccessfulCreate", "Created pod: r-0-abcde", "Job", first=10)


def test_what_hindered_a_pod_that_was_made_later_explains_no_missing_one():
    assert diagnose(Situation(job=JOB, events=(QUOTA, MADE_ONE), now=AT + 60), SETTINGS) is None
    again = event("FailedCreate", QUOTA.message, "Job", first=1, last=2000)
    trouble = found(None, MADE_ONE, again, now=AT + 2000)
    assert trouble.failure.code == "QUOTA"
    assert not trouble.over(AT + 909), "it counts from when it last went well"
    assert trouble.over(AT + 910)


def test_what_hindered_pods_long_ago_is_over():
    assert diagnose(Situation(job=JOB, events=(QUOTA,), now=AT + 611), SETTINGS) is None


def test_a_run_that_is_put_back_into_the_queue_waits_anew():
    back = {"type": "Suspended", "status": "True", "lastTransitionTime": after(7200)}
    asked = ClusterSettings(queue_timeout=60)
    situation = Situation(
        job=job(suspend=True, conditions=[back]),
        workload=workload({"type": "QuotaReserved", "status": "False", "message": "busy"}),
    )
    trouble = diagnose(situation, asked)
    assert trouble
    assert not trouble.over(AT + 7259)
    assert trouble.over(AT + 7260)


def workload(*conditions: dict) -> Workload:
    owner = [{"kind": "Job", "name": "r", "uid": "j"}]
    metadata = {"name": "w", "ownerReferences": owner}
    return msgspec.convert({"metadata": metadata, "status": {"conditions": conditions}}, Workload)


def test_kueues_words_come_first():
    pending = {
        "type": "QuotaReserved",
        "status": "False",
        "reason": "Pending",
        "message": "couldn't assign flavors to pod set main: insufficient unused quota",
    }
    trouble = found(job=job(suspend=True), workload=workload(pending))
    assert (trouble.failure.code, trouble.failure.blame) == ("QUEUED", "capacity")
    assert "insufficient unused quota" in trouble.failure.evidence[0]
    missing = {**pending, "message": "LocalQueue research doesn't exist"}
    assert found(job=job(suspend=True), workload=workload(missing)).failure.code == "QUEUE_MISSING"


def test_a_queue_that_nobody_looks_after_is_missing():
    trouble = found(job=job(suspend=True))
    assert trouble.failure.code == "QUEUE_MISSING"
    assert not trouble.over(AT + 10)
    assert trouble.over(AT + 31 + 900)


@pytest.mark.parametrize(
    ("status", "code", "blame"),
    [
        (ended(137, "OOMKilled"), "OOM_HOST", "user"),
        (ended(137), "KILLED", "infra"),
        (ended(143), "INTERRUPTED", "infra"),
        (ended(70, message="Traceback"), "RUNNER_FAILED", "infra"),
        (ended(74), "UPLOAD_INCOMPLETE", "infra"),
        (ended(74, message="sendoff: the store took no manifest: CLOCK_SKEW: this clock is"),
         "CLOCK_SKEW", "infra"),
        (ended(77, message="sendoff: no command was started: BUCKET_MISSING: the store has"),
         "BUCKET_MISSING", "config"),
        (ended(77), "STORE_FAILED", "infra"),
        (ended(75), "INTERRUPTED", "infra"),
        (ended(81, message="sendoff: bad hash"), "NOT_PREPARED", "config"),
        (ended(3), "RUNNER_FAILED", "infra"),
        (ended(128, "StartError", "exec: no such file"), "IMAGE_UNUSABLE", "config"),
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, "EVICTED",
         "infra"),
        ({"reason": "Evicted", "message": 'Usage of EmptyDir volume "scratch" exceeds the limit '
          '"1Mi". '}, "EVICTED", "user"),
        ({"reason": "UnexpectedAdmissionError", "message": "Allocate failed"},
         "UnexpectedAdmissionError", "infra"),
        ({"reason": "OutOfcpu"}, "OutOfcpu", "infra"),
        ({"reason": "NodeShutdown"}, "NODE_LOST", "infra"),
        (disrupted("PreemptionByScheduler"), "PREEMPTED", "infra"),
        (disrupted("DeletionByTaintManager"), "NODE_LOST", "infra"),
        ({}, "POD_FAILED", "infra"),
    ],
)  # fmt: skip
def test_an_end_without_a_result(status, code, blame):
    trouble = found(pod("Failed", node="n", **status))
    assert (trouble.failure.code, trouble.failure.blame) == (code, blame)
    assert trouble.failure.retryable is (blame == "infra")
    assert blame != "infra" or trouble.failure.fix.endswith("sendoff rerun r --failed")


def test_memory_counts_as_the_failure_even_where_the_pod_succeeded():
    trouble = found(pod("Succeeded", node="n", **ended(0, "OOMKilled")))
    assert trouble.failure.code == "OOM_HOST"
    assert "--memory" in trouble.failure.fix
    assert diagnose(Situation(job=job(), pod=pod("Succeeded", **ended(0))), SETTINGS) is None


def test_a_node_that_is_silent_is_named():
    silent = msgspec.convert(
        {
            "metadata": {"name": "n"},
            "status": {"conditions": [
                {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting"}
            ]},
        },
        Node,
    )  # fmt: skip
    running = pod("Running", node="n")
    trouble = found(running, node=silent, now=AT)
    assert trouble.failure.code == "NODE_LOST"
    assert "Kubelet stopped posting" in trouble.failure.evidence[0]
    stuck = pod("Running", node="n", deleted="2026-11-24T10:00:30Z")
    trouble = found(stuck, node=silent, now=AT + 31)
    assert trouble.failure.code == "NODE_LOST"
    assert "r-0-abcde is stuck" in trouble.failure.message
    assert "delete pod r-0-abcde --force" in trouble.failure.fix
    assert not trouble.over(AT + 10**6), "a late result may still come"
    assert diagnose(Situation(job=job(), pod=stuck, now=AT + 29), SETTINGS) is None
