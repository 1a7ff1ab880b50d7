"""Kueue's objects on the real API server, in its newest version, without its controller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dispatcher.kubernetes.kueue import Kueue
from dispatcher.kubernetes.probe import Probe
from tests.stack.stack import Stack

GROUP, VERSION = "kueue.x-k8s.io", "v1beta2"
KINDS = {"workloads": "Workload", "localqueues": "LocalQueue"}


def definition(plural: str) -> dict[str, Any]:
    """Of one kind, whose objects may have anything in them."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": VERSION, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": KINDS[plural]},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture
def kueue(stack: Stack) -> Iterator[None]:
    """Its kinds of object: the test plays the controller."""
    names = [f"crd/{each}.{GROUP}" for each in KINDS]
    listed = {"kind": "List", "apiVersion": "v1", "items": [*map(definition, KINDS)]}
    stack.kubectl("apply", "-f", "-", stdin=json.dumps(listed))
    stack.kubectl("wait", "--for=condition=Established", *names)
    yield
    stack.kubectl("delete", *names)


@pytest.mark.usefixtures("kueue")
def test_what_kueue_says_of_a_run(lab):
    queued = lab.with_settings(queue="research")
    lab.until(lambda: Kueue(lab.client()).version() == VERSION)
    run = queued.submit(["true"])
    (job,) = lab.objects("jobs", run)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": run.id, "uid": job["metadata"]["uid"]}
    busy = {"type": "QuotaReserved", "status": "False", "message": "no quota is left"}
    lab.apply(
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "LocalQueue",
            "metadata": {"name": "research"},
        },
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Workload",
            "metadata": {"name": "w", "ownerReferences": [owner]},
            "status": {"conditions": [busy]},
        },
    )
    failure = lab.until(lambda: lab.index(run).waiting)
    assert (failure.code, failure.evidence) == ("QUEUED", ("no quota is left",))
    for name, state in (("research", "good"), ("nosuch", "bad")):
        settings = lab.with_settings(queue=name).settings
        found = {each.what: each for each in Probe(lab.client(), settings).findings()}
        assert found["queue"].state == state, found["queue"]
