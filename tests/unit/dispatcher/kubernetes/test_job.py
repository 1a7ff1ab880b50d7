"""Jobs as golden files. The real API server judges them in tests/stack."""

from __future__ import annotations

import json

import pytest

from dispatcher.kubernetes import job
from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.settings import ClusterSettings
from tests.unit.dispatcher.kubernetes.conftest import run_of
from tests.unit.dispatcher.kubernetes.jobs import CASES, Case, rendered


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job(case: Case, golden):
    golden(f"jobs/{case.name}.json", json.dumps(rendered(case), indent=2) + "\n")


def spec(name: str) -> dict:
    (case,) = (each for each in CASES if each.name == name)
    return rendered(case)["spec"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_holds_of_every_job(case: Case):
    made = rendered(case)
    template = made["spec"]["template"]["spec"]
    (container,) = template["containers"]
    assert len(made["metadata"]["name"]) <= 52
    assert "@sha256:" in container["image"]
    assert template["automountServiceAccountToken"] is False
    assert template["restartPolicy"] == "Never"
    assert made["spec"]["activeDeadlineSeconds"] > 0
    assert "maxFailedIndexes" not in made["spec"], "what succeeded is kept"
    resources = container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" not in resources["limits"]


def test_a_job_without_gpu_sees_none():
    (container,) = spec("cpu")["template"]["spec"]["containers"]
    assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container["env"]
    (container,) = spec("h100")["template"]["spec"]["containers"]
    assert "NVIDIA_VISIBLE_DEVICES" not in {each["name"] for each in container["env"]}


def test_it_keeps_to_the_platform_of_its_image_unless_the_site_says_otherwise():
    assert spec("site")["template"]["spec"]["nodeSelector"] == {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "pool": "research",
    }
    own = ClusterSettings(node_selector={"kubernetes.io/arch": "arm64"})
    made = job.render(run_of(), Choice(), own, "secret")["spec"]["template"]["spec"]
    assert made["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}


def test_an_order_of_preference_is_required_and_weighted():
    affinity = spec("fallback")["template"]["spec"]["affinity"]["nodeAffinity"]
    weights = {}
    for each in affinity["preferredDuringSchedulingIgnoredDuringExecution"]:
        for expression in each["preference"]["matchExpressions"]:
            if expression["key"] == "nvidia.com/gpu.product" and "values" in expression:
                weights[expression["values"][0]] = each["weight"]
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert len(set(weights.values())) == 2
    assert affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]


def test_many_inputs_are_one_job():
    assert (spec("sweep")["completions"], spec("sweep")["parallelism"]) == (10, 4)
    assert (spec("per-pod")["completions"], spec("per-pod")["parallelism"]) == (4, 4)


def test_kueue_finds_it_suspended():
    made = rendered(next(each for each in CASES if each.name == "kueue"))
    assert made["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"


def test_the_deadline_leaves_time_for_all_attempts_and_is_there_without_a_time_out():
    settings = ClusterSettings(queue_timeout=60, longest=10**6)
    short = job.deadline(run_of(timeout=600).request, settings)
    assert short > 60 + 2 * 600
    assert job.deadline(run_of(timeout=600, retries=5).request, settings) > short
    assert job.deadline(run_of(9, timeout=600, max_parallel=1).request, settings) > 9 * 2 * 600
    assert job.deadline(run_of().request, settings) == 10**6


def test_another_request_has_another_hash():
    first, second = run_of().request, run_of(timeout=1).request
    assert job.spec_hash(first) == job.spec_hash(run_of().request) != job.spec_hash(second)


@pytest.mark.parametrize(
    ("text", "value"), [("a/b c", "a-b-c"), ("-x-", "x"), ("ü", ""), ("g" * 80, "g" * 63)]
)
def test_a_group_becomes_a_label(text, value):
    assert job.label_value(text) == value
