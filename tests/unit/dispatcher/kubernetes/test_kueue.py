"""What Kueue is seen to have, by what an API server says; and runs of which that can't be seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.kubernetes import job_troubles
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.diagnosis import diagnose
from dispatcher.kubernetes.evidence import Evidence
from dispatcher.kubernetes.kueue import Kueue
from dispatcher.kubernetes.objects import Unseen, Workload
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.unit.dispatcher.kubernetes.test_diagnosis import AT, job

GROUP = r"/apis/kueue\.x-k8s\.io$"
MISSING = Answer(404, body=b'{"message": "the server could not find the requested resource"}')
FORBIDDEN = Answer(
    403,
    body=b'{"message": "workloads.kueue.x-k8s.io is forbidden: User \\"r\\" cannot list resource '
    b'\\"workloads\\" in API group \\"kueue.x-k8s.io\\" in the namespace \\"lab\\""}',
)
UNDISCOVERED = Answer(
    403, body=b'{"message": "forbidden: User \\"r\\" cannot get path \\"/apis/kueue.x-k8s.io\\""}'
)
WAITING = {"type": "QuotaReserved", "status": "False", "message": "no quota is left"}


def said(**document: Any) -> Answer:
    return Answer(200, body=json.dumps(document).encode())


def serving(version: str) -> Answer:
    """Discovery, with an old version beside that which the server prefers."""
    versions = [{"version": each} for each in (version, "v1alpha1")]
    return said(kind="APIGroup", versions=versions, preferredVersion=versions[0])


def listing(*owners: str) -> Answer:
    items = [
        {
            "metadata": {"name": uid, "ownerReferences": [{"kind": "Job", "uid": uid}]},
            "status": {"conditions": [WAITING]},
        }
        for uid in owners
    ]
    return said(metadata={}, items=items)


def trouble(settings: ClusterSettings) -> Trouble:
    """Of a Job that waits in a queue."""
    evidence = Evidence(Client(settings, 2), "r")
    found = diagnose(evidence.situation(job(suspend=True), None), settings)
    assert found
    return found


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2", "v1"])
def test_the_version_that_the_cluster_serves_is_asked(
    api: Proxy, api_settings: ClusterSettings, version: str
) -> None:
    api.on("GET", GROUP, serving(version), times=2)
    api.on("GET", f"/{version}/namespaces/lab/workloads", listing("other", "j"))
    api.on("GET", f"/{version}/namespaces/lab/localqueues/research", said(metadata={}))
    kueue = Kueue(Client(api_settings, 2))
    found = kueue.workload(job(suspend=True))
    assert isinstance(found, Workload)
    assert found.metadata.name == "j"
    assert kueue.has_queue("research")


def test_a_queue_is_not_there(api: Proxy, api_settings: ClusterSettings) -> None:
    kueue = Kueue(Client(api_settings, 2))
    api.on("GET", GROUP, MISSING)
    assert not kueue.has_queue("research"), "without Kueue"
    api.on("GET", GROUP, serving("v1beta2"))
    api.on("GET", "/localqueues/", MISSING)
    assert not kueue.has_queue("research")


@pytest.mark.parametrize(
    ("group", "workloads", "why"),
    [
        (serving("v1beta2"), FORBIDDEN, "not allowed to list workloads in the namespace lab"),
        (serving("v2"), MISSING, "could not find the requested resource"),
        (UNDISCOVERED, MISSING, "not allowed to get"),
    ],
    ids=["no right", "a version without workloads", "no discovery"],
)
def test_a_run_whose_workload_can_not_be_seen_waits_for_its_turn(
    api: Proxy, api_settings: ClusterSettings, group: Answer, workloads: Answer, why: str
) -> None:
    api.on("GET", GROUP, group)
    api.on("GET", "/workloads", workloads)
    api.on("GET", "/events", said(metadata={}, items=[]))
    found = trouble(api_settings)
    assert (found.failure.code, found.failure.blame) == ("QUEUED", "capacity")
    assert why in found.failure.evidence[0]
    assert not found.over(AT + 30 * 86_400)


def test_the_time_in_a_queue_that_can_not_be_seen_may_be_limited() -> None:
    settings = ClusterSettings(queue_timeout=60)
    found = job_troubles.queued(job(suspend=True), Unseen(why="no right"), settings)
    assert not found.over(AT + 59)
    assert found.over(AT + 60)


@pytest.mark.parametrize("kueue", [True, False], ids=["none of it", "no Kueue"])
def test_a_run_that_nobody_takes_is_given_up(
    api: Proxy, api_settings: ClusterSettings, *, kueue: bool
) -> None:
    api.on("GET", GROUP, serving("v1beta2") if kueue else MISSING)
    api.on("GET", "/workloads", listing("other"))
    api.on("GET", "/events", said(metadata={}, items=[]))
    found = trouble(api_settings)
    assert found.failure.code == "QUEUE_MISSING"
    assert not found.over(AT + 30 + 899)
    assert found.over(AT + 30 + 900)
