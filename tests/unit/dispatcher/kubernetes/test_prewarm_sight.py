"""Which node has which image, from what pods, jobs and nodes say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dispatcher.kubernetes.prewarm import IMAGES, WarmImage
from dispatcher.kubernetes.prewarm_objects import KeepingNode, Warmer, WarmingPod
from dispatcher.kubernetes.prewarm_sight import LISTED, Seen, Warmth, settled, warmth
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import seconds
from packer.record import encode
from tests.unit.dispatcher.kubernetes.test_prewarm import BASE, SHARED

SETTINGS = ClusterSettings()
MADE = "2026-11-24T03:11:27Z"
PULLED = {"terminated": {"exitCode": 0, "startedAt": "2026-11-24T03:12:00Z"}}
NOT_THERE = {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown: not found"}}


def keeping(*images: Any, others: int = 0, **labels: str) -> KeepingNode:
    names = [f"registry.example/other@sha256:{number:064x}" for number in range(others)]
    some = [{"names": [each.reference], "sizeBytes": 41_000_000} for each in images]
    some += [{"names": [name], "sizeBytes": 1} for name in names]
    metadata = {"name": "n", "labels": labels}
    return msgspec.convert({"metadata": metadata, "status": {"images": some}}, KeepingNode)


def pod(base: Any, shared: Any, last: Any = None, **status: Any) -> WarmingPod:
    statuses = [
        {"name": image.container, "state": state, "lastState": before or {}}
        for image, state, before in ((BASE, base, last), (SHARED, shared, {}))
        if state
    ]
    return msgspec.convert(
        {
            "metadata": {"name": "p", "creationTimestamp": MADE},
            "spec": {"nodeName": "n"},
            "status": {"initContainerStatuses": statuses, **status},
        },
        WarmingPod,
    )


def job(image: Any, selector: Any = None, told: str = "", **status: Any) -> Warmer:
    """OpenKruise's for two nodes; `told` is when its controller last wrote its status."""
    wrote = [{"subresource": "", "time": MADE}, {"subresource": "status", "time": told}]
    metadata = {
        "name": "j",
        "annotations": {IMAGES: encode([image]).decode()},
        "managedFields": wrote if told else [],
    }
    spec = {"image": image.reference, "selector": selector or {}}
    made = {"metadata": metadata, "spec": spec, "status": {"desired": 2, **status}}
    return msgspec.convert(made, Warmer)


def look(
    node: KeepingNode | None, pod: WarmingPod | None = None, *jobs: Warmer, now: float = 0
) -> list[Warmth]:
    seen = Seen(prewarm="h100", node="n", keeping=node, pod=pod, jobs=jobs, now=now)
    return warmth(seen, (BASE, SHARED), SETTINGS)


STARTING: dict[str, Any] = {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize(
    ("base", "shared", "states"),
    [
        (STARTING, STARTING, ["pulling", "waiting"]),
        (PULLED, STARTING, ["here", "pulling"]),
        (PULLED, PULLED, ["here", "here"]),
        (PULLED, NOT_THERE, ["here", "failed"]),
        ({"running": {"startedAt": MADE}}, STARTING, ["here", "waiting"]),
        (None, None, ["waiting", "waiting"]),
    ],
)
def test_what_a_pod_says(base, shared, states):
    assert [each.state for each in look(keeping(), pod(base, shared))] == states


def test_when_it_was_pulled_and_how_big_it_is():
    here, other = look(keeping(BASE), pod(PULLED, STARTING))
    assert (here.since, here.size) == ("2026-11-24T03:12:00Z", 41_000_000)
    assert (other.since, other.size) == ("", 0)


def test_why_it_is_not_pulled():
    _, failed = look(keeping(), pod(PULLED, NOT_THERE))
    assert failed.trouble
    assert failed.trouble.failure.code == "DIGEST_GONE"
    assert "manifest unknown" in failed.trouble.failure.evidence[0]


def test_an_image_whose_python_does_not_start():
    broken = {"terminated": {"exitCode": 127, "message": "no such file", "startedAt": MADE}}
    failed, _ = look(keeping(BASE), pod(broken, STARTING))
    assert failed.trouble
    assert (failed.state, failed.trouble.failure.code) == ("failed", "IMAGE_UNUSABLE")


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


FELL = {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no such file"}}


@pytest.mark.parametrize(
    ("state", "before", "code", "said"),
    [
        (waiting("CrashLoopBackOff", "back-off 10s"), FELL, "IMAGE_UNUSABLE", "no such file"),
        (waiting("PodInitializing"), FELL, "IMAGE_UNUSABLE", "no such file"),
        ({"running": {"startedAt": MADE}}, FELL, "IMAGE_UNUSABLE", "no such file"),
        (waiting("CrashLoopBackOff"), None, "IMAGE_UNUSABLE", "CrashLoopBackOff"),
        (
            waiting("RunContainerError", "exec format error"),
            None,
            "IMAGE_UNUSABLE",
            "RunContainerError: exec format error",
        ),
        (
            waiting("CreateContainerError", "name is reserved"),
            None,
            "STARTING",
            "CreateContainerError: name is reserved",
        ),
    ],
)
def test_an_image_that_does_not_start_is_no_pull(
    state: Any, before: Any, code: str, said: str
) -> None:
    failed, other = look(keeping(BASE), pod(state, STARTING, before))
    assert failed.trouble
    assert (failed.state, failed.trouble.failure.code) == ("failed", code)
    assert failed.trouble.failure.evidence[-1] == said
    assert other.state == "waiting"
    assert settled([failed], seconds(MADE) + SETTINGS.pending_timeout)


def test_an_image_that_started_in_the_end_or_is_pulled_again() -> None:
    assert look(keeping(), pod(PULLED, STARTING, FELL))[0].state == "here"
    rebooted = look(keeping(), pod(STARTING, STARTING, PULLED))
    assert rebooted[0].state == "here"
    gone = look(keeping(), pod(NOT_THERE, STARTING, PULLED))
    assert gone[0].state == "failed"


def test_a_node_without_room():
    full = {"type": "PodScheduled", "status": "False", "message": "Too many pods"}
    waiting, _ = look(keeping(), pod(None, None, conditions=[full]))
    assert waiting.trouble
    assert waiting.trouble.failure.evidence == ("Too many pods",)


def test_a_pod_is_of_the_node_that_it_is_meant_for():
    terms = {"nodeSelectorTerms": [{"matchFields": [{"values": ["n-7"]}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    meant = msgspec.convert({"metadata": {}, "spec": {"affinity": affinity}}, WarmingPod)
    assert meant.node == "n-7"


def test_what_openkruise_says():
    jobs = (
        job(BASE, succeeded=2, completionTime=MADE),
        job(SHARED, failedNodes=["n"], message="pull failed"),
    )
    here, failed = look(keeping(), None, *jobs)
    assert (here.state, here.since) == ("here", MADE)
    assert failed.trouble
    assert (failed.state, failed.trouble.failure.evidence) == ("failed", ("pull failed",))
    pulling, _ = look(keeping(), None, job(BASE, active=2), job(SHARED))
    assert pulling.state == "pulling"


def test_what_openkruise_pulled_may_be_gone_since():
    done = job(BASE, succeeded=2, startTime=MADE), job(SHARED, active=1)
    later = seconds(MADE) + 3600
    assert look(keeping(), None, *done, now=later - 3000)[0].state == "here", "the list lags"
    assert look(keeping(), None, *done, now=later)[0].state == "absent"
    assert look(keeping(others=LISTED), None, *done, now=later)[0].state == "here"
    assert look(None, None, *done, now=later)[0].state == "here"
    assert look(keeping(BASE), None, *done, now=later)[0].state == "here"


def test_a_job_that_goes_on_has_ended_when_its_status_was_last_another() -> None:
    """OpenKruise writes no time of completion for jobs that serve nodes which come later."""
    later = "2026-11-24T05:11:27Z"
    slow = job(BASE, told=later, succeeded=2, startTime=MADE), job(SHARED, active=1)
    here = look(keeping(), None, *slow, now=seconds(later) + 60)[0]
    assert (here.state, here.since) == ("here", later), "pulled a minute ago, asked for long before"


def test_a_node_that_failed_keeps_no_other_from_being_done() -> None:
    done = job(BASE, succeeded=1, failed=1, failedNodes=["m"], startTime=MADE)
    assert look(keeping(), None, done)[0].state == "here"


PRODUCT = "nvidia.com/gpu.product"


def labelled(*values: str) -> dict[str, Any]:
    """A selector: of one product, or of nodes that say none."""
    rule = {"operator": "In", "values": list(values)} if values else {"operator": "DoesNotExist"}
    return {"matchLabels": {"pool": "a"}, "matchExpressions": [{"key": PRODUCT, **rule}]}


def test_a_node_is_told_by_the_job_that_selects_it() -> None:
    """On nodes of one class with labels of two kinds, each kind has its job."""
    kinds = (
        job(BASE, labelled("H100"), succeeded=2, startTime=MADE),
        job(BASE, labelled(), failed=1, failedNodes=["n"], message="no route"),
    )
    for jobs in (kinds, kinds[::-1]):
        assert look(keeping(pool="a", **{PRODUCT: "H100"}), None, *jobs)[0].state == "here"
        failed = look(keeping(pool="a"), None, *jobs)[0]
        assert failed.trouble
        assert (failed.state, failed.trouble.failure.evidence) == ("failed", ("no route",))
        assert look(keeping(pool="b"), None, *jobs)[0].state == "absent", "nobody pulls there"
    by_name = job(BASE, {"names": ["m"]}, active=1)
    assert look(keeping(), None, by_name)[0].state == "absent"
    assert look(None, None, kinds[1])[0].state == "failed", "labels that may not be seen may fit"


def test_a_node_whose_pod_has_not_come_yet_waits():
    assert [each.state for each in look(keeping(BASE))] == ["waiting", "waiting"]


def test_an_image_under_another_name_is_not_what_runs_ask_for():
    elsewhere = WarmImage(reference=f"mirror.example/x@{BASE.digest}", python=BASE.python)
    assert look(keeping(elsewhere), None, job(BASE, active=1))[0].state == "pulling"


def test_it_is_over_when_all_is_there_or_will_not_come():
    there = look(keeping(BASE, SHARED), pod(PULLED, PULLED))
    assert settled(there, 0)
    gone = look(keeping(), pod(PULLED, NOT_THERE))
    made = gone[1].trouble.since if gone[1].trouble else 0
    assert not settled(gone, made + SETTINGS.image_timeout - 1)
    assert settled(gone, made + SETTINGS.image_timeout)
    assert not settled(look(keeping(), pod(PULLED, STARTING)), 2e9)
    absent = look(keeping(), None, *(job(each, {"names": []}) for each in (BASE, SHARED)))
    assert {each.state for each in absent} == {"absent"}
    assert settled(absent, 0), "nobody pulls it again"
