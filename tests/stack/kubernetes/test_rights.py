"""The least Role on the real API server: it is what is said, and each right of it is needed."""

from __future__ import annotations

import pytest

from dispatcher import dispatch
from dispatcher.kubernetes import rights
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.probe import Probe
from tests.stack.kubernetes.conftest import named

HELLO = ["sh", "-c", "echo hello"]
NEEDED = [each for each in rights.of_namespace() if not each.optional]


def forbidden(lab, name: str) -> str:
    """What is said to whoever lacks a right."""
    return f"not allowed to {name.removesuffix('.batch')} in the namespace {lab.namespace}"


def without(name: str) -> list[rights.Right]:
    """All rights in the namespace but one."""
    kept = [each for each in rights.of_namespace() if each.name != name]
    assert len(kept) == len(rights.of_namespace()) - 1, name
    return kept


def test_the_researcher_has_these_rights_and_no_others(lab):
    everywhere = named(rights.of_cluster())
    assert everywhere == {("", "nodes", "list")}
    assert lab.granted() == named(rights.of_namespace()) | everywhere
    assert lab.with_settings(namespace="default").granted() == everywhere


@pytest.mark.parametrize("lacking", NEEDED, ids=lambda right: right.name)
def test_the_doctor_names_the_one_right_that_is_missing(lab, proxy, lacking):
    with lab.allowed(proxy, without(lacking.name)) as poor:
        probe = Probe(poor.client(), poor.settings)
        (bad,) = [each for each in probe.rights() if each.state == "bad"]
    assert bad.what == lacking.name
    assert bad.said == f"not allowed in {lab.namespace}; needed {lacking.why}"


@pytest.mark.parametrize("lacking", ["create jobs.batch", "create secrets"])
def test_a_run_is_not_sent_off_without(lab, proxy, lacking):
    with lab.allowed(proxy, without(lacking)) as poor:
        run = poor.run(HELLO)
        with pytest.raises(ApiForbidden) as caught:
            poor.send(run)
    assert caught.value.what() == forbidden(lab, lacking)
    lab.until(lambda: lab.objects("jobs", run) == [])


@pytest.mark.parametrize("lacking", ["get jobs.batch", "list pods", "watch pods"])
def test_a_run_is_not_seen_without(lab, proxy, lacking):
    run = lab.submit(["sleep", "60"])
    with lab.allowed(proxy, without(lacking)) as poor, pytest.raises(ApiForbidden) as caught:
        dispatch.wait([run.id], poor.places, timeout=20)
    assert caught.value.what() == forbidden(lab, lacking)


def test_a_run_is_not_cancelled_without(lab, proxy):
    run = lab.submit(["sleep", "60"])
    with (
        lab.allowed(proxy, without("delete jobs.batch")) as poor,
        pytest.raises(ApiForbidden) as caught,
    ):
        dispatch.cancel(run.id, poor.places)
    assert caught.value.what() == forbidden(lab, "delete jobs.batch")


def test_a_quota_is_not_seen_without_events(lab, proxy):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-pods"}}
    lab.apply({**quota, "spec": {"hard": {"pods": "0"}}})
    try:
        run = lab.submit(HELLO)
        waiting = lab.until(lambda: lab.index(run).waiting)
        assert waiting.code == "QUOTA"
        with lab.allowed(proxy, without("list events")) as poor:
            assert poor.index(run).waiting is None
    finally:
        lab.kubectl("delete", "quota", "no-pods")
