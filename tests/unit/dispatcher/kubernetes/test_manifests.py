from __future__ import annotations

import json

from dispatcher.kubernetes import manifests, rights
from dispatcher.kubernetes.manifests import Tenancy


def test_what_an_administrator_applies(golden):
    golden("manifests.json", json.dumps(manifests.render(Tenancy()), indent=2) + "\n")


def test_the_role_grants_each_right_and_no_other():
    made = {each["kind"]: each for each in manifests.render(Tenancy(usage=True))}
    granted = {
        (rule["apiGroups"][0], rule["resources"][0], verb)
        for kind in ("Role", "ClusterRole")
        for rule in made[kind]["rules"]
        for verb in rule["verbs"]
    }
    assert granted == {(each.group, each.resource, each.verb) for each in rights.RIGHTS}
    without = {each["kind"]: each for each in manifests.render(Tenancy())}
    assert without["ClusterRole"]["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}
    ]


def test_what_an_operator_gets(golden):
    made = manifests.operators(Tenancy(subject="operators"))
    golden("operators.json", json.dumps(made, indent=2) + "\n")
    granted = {
        (rule["apiGroups"][0], rule["resources"][0], verb)
        for each in made
        for rule in each.get("rules", ())
        for verb in rule["verbs"]
    }
    wanted = {(each.group, each.resource, each.verb) for each in rights.OPERATOR_RIGHTS}
    assert granted == wanted


def test_a_service_account_is_bound_with_its_namespace():
    tenancy = Tenancy(namespace="lab", subject="agent", kind="ServiceAccount")
    bindings = [each for each in manifests.render(tenancy) if each["kind"].endswith("Binding")]
    for each in bindings:
        assert each["subjects"] == [{"kind": "ServiceAccount", "name": "agent", "namespace": "lab"}]
