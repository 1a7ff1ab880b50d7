"""What the real API server says of our Jobs, as a user with the least Role, under "restricted"."""

from __future__ import annotations

import json

import pytest

from dispatcher.kubernetes import manifests
from dispatcher.kubernetes.errors import ApiRejected
from dispatcher.kubernetes.manifests import Tenancy
from dispatcher.kubernetes.paths import Paths
from tests.unit.dispatcher.kubernetes.jobs import CASES, rendered


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_job_is_valid(lab, case):
    job = rendered(case)
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    answer = json.loads(lab.client().ask(Paths(lab.namespace).jobs, job, query))
    assert answer["spec"]["completionMode"] == "Indexed"
    assert "backoffLimitPerIndex" in answer["spec"]


# The priority class and runtime class of "site" are not on the stack.
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name != "site"], ids=lambda case: case.name
)
def test_the_pods_of_each_job_may_run_under_restricted(lab, case):
    template = rendered(case)["spec"]["template"]
    metadata = {**template["metadata"], "name": "dry"}
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}
    # As the Job controller: the researcher may not make pods.
    assert lab.admin.ask(Paths(lab.namespace).pods, pod, {"dryRun": "All"})


def test_the_namespace_is_under_restricted(lab):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "dry"},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    with pytest.raises(ApiRejected) as caught:
        lab.admin.ask(Paths(lab.namespace).pods, pod, {"dryRun": "All"})
    assert "violates PodSecurity" in caught.value.evidence()


def test_what_init_writes_is_valid(lab):
    listed = {
        "apiVersion": "v1",
        "kind": "List",
        "items": manifests.render(Tenancy(namespace=lab.namespace)),
    }
    lab.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(listed))
