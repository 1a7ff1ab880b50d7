"""What `sendoff doctor` finds out about a cluster."""

from __future__ import annotations

from dispatcher.kubernetes import rights
from dispatcher.kubernetes.probe import Probe


def findings(lab) -> dict:
    return {each.what: each for each in Probe(lab.client(), lab.settings).findings()}


def findings_of_admin(lab, **settings) -> dict:
    path = lab.stack.known["kubeconfig"]["admin"]
    return findings(lab.with_settings(kubeconfig=path, **settings))


def test_a_namespace_that_is_set_up_is_found_to_be_good(lab):
    found = findings(lab)
    assert {each.what for each in found.values() if each.state == "bad"} == set()
    assert found["version"].said.startswith("v1.")
    assert "h100" in found["GPU classes"].said
    assert found["namespace"].said == f"{lab.namespace}, Pod Security level restricted"
    assert found["pods"].state == "good"
    needed = [each.name for each in rights.of_namespace() if not each.optional]
    assert all(found[name].state == "good" for name in needed)
    assert found["list pods"].state in ("good", "poor"), "everybody's pods are not needed"


def test_each_missing_right_is_named(lab):
    found = findings(lab.with_settings(namespace="default"))
    assert found["create jobs.batch"].state == "bad"
    assert "in default" in found["create jobs.batch"].said
    assert (found["namespace"].state, "can't be seen" in found["namespace"].said) == ("poor", True)
    assert found["pods"].state == "bad"


def test_nothing_is_made(lab):
    findings(lab)
    assert lab.objects("jobs") == [] or all(
        each["metadata"]["name"] != "sendoff-doctor" for each in lab.objects("jobs")
    )


def test_a_queue_without_kueue_is_said(lab):
    found = findings(lab.with_settings(queue="research"))
    assert found["queue"].state in ("bad", "poor")
    assert "research" in found["queue"].said


def test_a_level_of_pod_security_that_refuses_our_pods_is_found(lab):
    found = findings_of_admin(lab)
    assert found["namespace"].said == f"{lab.namespace}, Pod Security level restricted"
    assert (found["pods"].state, found["pods"].said) == (
        "good",
        "accepted under the namespace's rules",
    )
    # What the level refuses: here, that commands run as root.
    refused = findings_of_admin(lab, user=0)["pods"]
    assert refused.state == "bad"
    assert 'violates PodSecurity "restricted' in refused.said
    assert "runAsUser=0" in refused.said
    assert refused.fix


def test_limits_that_no_pod_fits_are_what_a_run_waits_for(lab):
    # What a cluster's own admission rules may do.
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "tiny"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "1Mi"}}]},
        }
    )
    try:
        # Only whoever may make pods is told; the researcher's Jobs would say so in their events.
        run = lab.submit(["true"])
        failure = lab.until(lambda: lab.index(run).waiting)
        assert failure.code == "POD_REFUSED"
        assert "maximum memory usage" in failure.evidence[0]
        found = findings_of_admin(lab)["pods"]
        assert found.state == "bad"
        assert "maximum memory usage" in found.said
    finally:
        lab.kubectl("delete", "limitrange", "tiny")


def test_a_cluster_that_is_not_there_is_one_finding(lab, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("{}")
    (found,) = findings(lab.with_settings(kubeconfig=str(path))).values()
    assert (found.what, found.state) == ("cluster", "bad")
    assert "no current context" in found.said
