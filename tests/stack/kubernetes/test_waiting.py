"""Runs that do not start: faults 11 to 17 of the design's list."""

from __future__ import annotations

import hashlib

import pytest

from dispatcher import dispatch
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.refusals import DriverTooOld, GpuNotHere, GpuUnknown, Impossible, KeptOff
from dispatcher.kubernetes.target import KubernetesTarget
from dispatcher.request import Resources
from packer.digest import Digest
from tests.faults.faults import Answer, CutAnswer
from tests.faults.proxy import Proxy

HELLO = ["sh", "-c", "echo hello"]
KWOK = Toleration(key="kwok.x-k8s.io/node", effect="NoSchedule")


def asking(lab, **resources):
    """A request for these resources."""
    return lab.run(HELLO, resources=Resources(**resources)).request


def waiting(lab, run, code: str):
    """Why a run waits, once it is that."""

    def look():
        with_trouble = lab.index(run).waiting
        return with_trouble if with_trouble and with_trouble.code == code else None

    return lab.until(look)


def test_a_quota_that_leaves_no_room_is_said_with_the_quota(lab):
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "no-pods"},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    try:
        run = lab.submit(HELLO)
        failure = waiting(lab, run, "QUOTA")
        assert "FailedCreate" in failure.evidence[0]
        assert "exceeded quota: no-pods" in failure.evidence[0]
        assert failure.blame == "capacity"
        assert lab.index(run).state == "queued"
    finally:
        lab.kubectl("delete", "quota", "no-pods")
    # Room again, and it goes on by itself.
    assert lab.wait(run).state == "succeeded"


@pytest.mark.parametrize(
    ("gpu", "refusal"),
    [
        ("h1000", GpuUnknown),
        ("gb200", GpuNotHere),
        ("h100:9", Impossible),
        ("h100,a100-80gb:9,h1oo", GpuUnknown),
    ],
)
def test_what_the_cluster_can_not_do_is_refused_before_anything_is_written(lab, gpu, refusal):
    with pytest.raises(refusal) as caught:
        lab.with_settings(tolerations=(KWOK,)).submit(HELLO, resources=Resources(gpu=gpu))
    assert "h100" in caught.value.evidence() + str(caught.value)
    assert dispatch.runs(lab.places) == []
    assert not [each for each in lab.objects("jobs") if each["metadata"]["name"] in lab.sent]


def test_nine_gpus_are_refused_with_the_most_there_are(lab):
    target = KubernetesTarget(lab.with_settings(tolerations=(KWOK,)).places)
    with pytest.raises(Impossible) as caught:
        target.admit(asking(lab, gpu="h100:9"))
    assert "8 × h100" in str(caught.value)
    assert "h100-cordoned" in caught.value.evidence()


def test_a_node_that_keeps_others_off_is_named_by_its_taint(lab):
    with pytest.raises(KeptOff) as caught:
        KubernetesTarget(lab.places).admit(asking(lab, gpu="a40"))
    assert "kwok.x-k8s.io/node=fake:NoSchedule" in caught.value.evidence()


def test_a_driver_that_is_too_old_is_refused(lab):
    target = KubernetesTarget(lab.with_settings(tolerations=(KWOK,)).places)
    with pytest.raises(DriverTooOld) as caught:
        target.admit(asking(lab, gpu="v100", cuda="12.4"))
    assert "450.80.02" in caught.value.evidence()
    target.admit(asking(lab, gpu="v100", cuda="11.0"))


def test_a_busy_class_is_queued_and_has_its_turn(lab):
    both = Resources(gpu="h100:2", cpus=0.1, memory=128 << 20)
    first = lab.submit(["sh", "-c", "sleep 300"], resources=both)
    lab.until(lambda: lab.index(first).state == "running")
    second = lab.submit(HELLO, resources=both)
    failure = waiting(lab, second, "QUEUED")
    assert failure.message == "no node has 2 h100 free (of 2)"
    assert "Insufficient nvidia.com/gpu" in failure.evidence[0]
    assert lab.index(second).state == "queued"
    dispatch.cancel(first.id, lab.places)
    assert lab.wait(second).state == "succeeded"
    assert lab.wait(first).state == "cancelled"


def test_a_turn_that_never_comes_is_given_up(lab):
    brief = lab.with_settings(queue_timeout=3)
    asked = Resources(cpus=0.1, memory=128 << 20)
    brief = brief.with_settings(node_selector={"kubernetes.io/hostname": "localhost"})
    crowd = brief.submit(
        *[["sleep", "300"]] * 2, resources=Resources(gpu="h100", cpus=0.1, memory=128 << 20)
    )
    lab.until(
        lambda: all(
            each.state == "running" for each in dispatch.status(crowd.id, lab.places).indexes
        )
    )
    run = brief.submit(HELLO, resources=Resources(gpu="h100", cpus=0.1, memory=128 << 20))
    manifest = brief.wait(run).indexes[0].manifest
    failure = manifest.failure
    assert failure.code == "PENDING_TIMEOUT"
    assert failure.blame == "capacity"
    assert manifest.phases.queued >= 2
    assert manifest.phases.held == 0
    assert "Insufficient nvidia.com/gpu" in "\n".join(failure.evidence)
    lab.until(lambda: lab.objects("jobs", run) == [])
    assert asked


def test_a_place_that_does_not_exist_is_said_in_the_schedulers_words(lab):
    # Admission would refuse it, so the label goes after it has looked.
    brief = lab.with_settings(pending_timeout=3, labels={"note": "nowhere"})
    target = KubernetesTarget(brief.places)
    run = brief.run(HELLO)
    target.admit(run.request)
    target._settings = target._submission._settings = brief.with_settings(
        node_selector={"no": "where"}
    ).settings
    lab.sent.append(run.id)
    lab.runs.add(run)
    target.start(run)
    failure = waiting(lab, run, "UNSCHEDULABLE")
    assert "didn't match" in failure.evidence[0]
    assert brief.wait(run).indexes[0].failure.code == "PENDING_TIMEOUT"


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("scheduler", "no scheduler has looked at the pod"),
        ("kubelet", "localhost has not begun with the pod"),
    ],
)
def test_a_pod_of_which_nobody_says_anything_is_not_waited_for_in_silence(
    lab, stack_alone, server, message
):
    brief = lab.with_settings(pending_timeout=12)
    stack_alone.pause(server)
    run = brief.submit(HELLO)
    assert waiting(brief, run, "STARTING").message == message
    failure = brief.wait(run).indexes[0].failure
    assert (failure.code, failure.blame) == ("PENDING_TIMEOUT", "infra")
    assert message in failure.message


def test_a_digest_that_is_gone_is_told_from_other_trouble_and_ends_the_run(lab):
    brief = lab.with_settings(image_timeout=2)
    run = brief.submit(HELLO, ["true"], digest=Digest.of(b"nothing"))
    status = brief.wait(run)
    assert {each.failure.code for each in status.indexes} == {"DIGEST_GONE"}
    failure = status.indexes[0].failure
    assert failure.blame == "config"
    assert "not found" in "\n".join(failure.evidence)
    lab.until(lambda: lab.objects("jobs", run) == [] and lab.objects("pods", run) == [])


def test_an_image_nobody_may_pull_is_told_from_a_missing_one(lab, tmp_path):
    from tests.stack.kubernetes.guarded_registry import guarded_registry

    with guarded_registry(tmp_path) as address:
        brief = lab.with_settings(image_timeout=2, repository=f"{address}/private")
        failure = brief.wait(brief.submit(HELLO)).indexes[0].failure
    assert failure.code == "REGISTRY_AUTH"
    assert "pull-secret" in failure.fix


@pytest.mark.parametrize("fault", [Answer(503), CutAnswer(after=1000)])
def test_a_registry_that_fails_for_a_while_is_waited_for(lab, fault):
    host, _, port = lab.stack.known["registry"]["address"].partition(":")
    # Of its own, so that the node does not have it.
    from tests.stack.kubernetes import run_image

    digest = run_image.push(lab.stack.known, {"fault.txt": repr(fault)}, "faulty")
    with Proxy((host, int(port))) as proxy:
        rule = proxy.on("GET", "/v2/.*/(manifests|blobs)/", fault, times=2)
        through = lab.with_settings(repository=f"127.0.0.1:{proxy.port}/{run_image.REPOSITORY}")
        run = through.submit(HELLO, digest=digest)
        assert through.wait(run, timeout=120).state == "succeeded", through.describe(run)
        assert rule.met


def test_a_registry_that_stays_down_is_an_infrastructure_failure(lab):
    with Proxy(("127.0.0.1", 9)) as proxy:
        proxy.refuse()
        brief = lab.with_settings(
            pending_timeout=4, image_timeout=1, repository=f"127.0.0.1:{proxy.port}/x"
        )
        failure = brief.wait(brief.submit(HELLO)).indexes[0].failure
    assert (failure.code, failure.blame, failure.retryable) == ("IMAGE_PULL", "infra", True)


def test_a_secret_without_a_value_is_named(lab):
    brief = lab.with_settings(image_timeout=2)
    failure = brief.wait(brief.submit(HELLO, secrets=("TOKEN",))).indexes[0].failure
    assert failure.code == "SECRET_MISSING"
    assert "sendoff" in failure.evidence[0]


def test_a_secret_reaches_the_command_and_nothing_else(lab):
    lab.kubectl("create", "secret", "generic", "sendoff", "--from-literal=TOKEN=s3cr3t-value")
    try:
        proof = hashlib.sha256(b"s3cr3t-value").hexdigest()
        command = f'test "$(printf %s "$TOKEN" | sha256sum | cut -c1-64)" = {proof}'
        run = lab.submit(["sh", "-c", command], secrets=("TOKEN",))
        assert lab.wait(run).state == "succeeded"
        for key in lab.runs.store.list(f"runs/{run.id}/"):
            assert b"s3cr3t-value" not in lab.runs.store.get(key)
        for kind in ("jobs", "pods"):
            assert "s3cr3t-value" not in str(lab.objects(kind, run))
    finally:
        lab.kubectl("delete", "secret", "sendoff")


def test_what_kueue_would_do(lab):
    queued = lab.with_settings(queue="research")
    run = queued.submit(HELLO)
    (job,) = lab.objects("jobs", run)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"
    failure = waiting(queued, run, "QUEUE_MISSING")
    assert "research" in failure.message
    assert lab.pods(run) == []
    # Kueue itself can't be had; this is what it does.
    lab.kubectl("patch", "job", run.id, "--type=merge", "-p", '{"spec": {"suspend": false}}')
    assert queued.wait(run).state == "succeeded"


def test_a_run_in_a_queue_can_be_cancelled(lab):
    queued = lab.with_settings(queue="research")
    run = queued.submit(HELLO, ["true"])
    dispatch.cancel(run.id, queued.places)
    assert [each.state for each in queued.wait(run).indexes] == ["cancelled", "cancelled"]


def test_events_are_kept_for_when_the_cluster_has_forgotten_them(lab):
    brief = lab.with_settings(image_timeout=2)
    run = brief.submit(HELLO, digest=Digest.of(b"nothing"))
    brief.wait(run)
    kept = lab.runs.store.get(f"runs/{run.id}/events.json").decode()
    assert "Failed to pull image" in kept
    assert "SuccessfulCreate" in kept
