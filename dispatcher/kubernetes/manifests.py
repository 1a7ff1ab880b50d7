"""What a cluster's administrator applies for a group of researchers. Pure.

A namespace under Pod Security's "restricted", the least Role and its binding, a quota, and a
network policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from dispatcher.kubernetes import rights
from dispatcher.kubernetes.job import MANAGED
from dispatcher.kubernetes.rights import Right
from packer.record import Record

_RBAC = "rbac.authorization.k8s.io"
_NAME, _OPERATORS = "sendoff", "sendoff-operators"
LEVEL = "pod-security.kubernetes.io"


class Tenancy(Record, frozen=True):
    """Who may run what where."""

    namespace: str = "sendoff"
    subject: str = "researchers"
    """The user, group or service account that gets the Role."""
    kind: Literal["User", "Group", "ServiceAccount"] = "Group"
    gpus: int = 8
    """Of the quota."""
    cpus: int = 256
    memory: int = 2048
    """GiB."""
    jobs: int = 500
    """At a time, ended ones included until their time to live is over."""
    usage: bool = False
    """Whether the subject may see how many GPUs are free: takes the right to see all pods."""


def render(tenancy: Tenancy) -> list[dict[str, Any]]:
    """The objects, in the order in which they are to be applied."""
    return [
        _namespace(tenancy),
        *_role(tenancy),
        *_cluster_role(tenancy),
        _quota(tenancy),
        _network(tenancy),
    ]


def operators(tenancy: Tenancy) -> list[dict[str, Any]]:
    """The Role of those who pre-warm nodes, which is apart from that of those who send runs."""
    inside = {"name": _OPERATORS, "namespace": tenancy.namespace}
    outside = {"name": f"{_OPERATORS}-{tenancy.namespace}"}
    own = rights.OPERATOR_RIGHTS
    return [
        *_granted("Role", inside, rights.of_namespace(own), tenancy),
        *_granted("ClusterRole", outside, [each for each in own if each.everywhere], tenancy),
    ]


def _namespace(tenancy: Tenancy) -> dict[str, Any]:
    labels = {f"{LEVEL}/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": tenancy.namespace, "labels": {MANAGED: "sendoff", **labels}},
    }


def _role(tenancy: Tenancy) -> list[dict[str, Any]]:
    place = {"name": _NAME, "namespace": tenancy.namespace}
    return _granted("Role", place, rights.of_namespace(), tenancy)


def _cluster_role(tenancy: Tenancy) -> list[dict[str, Any]]:
    # Named for the namespace: another one may let its users see more.
    place = {"name": f"{_NAME}-{tenancy.namespace}"}
    return _granted("ClusterRole", place, rights.of_cluster(usage=tenancy.usage), tenancy)


def _granted(
    kind: str, place: dict[str, str], granted: Iterable[Right], tenancy: Tenancy
) -> list[dict[str, Any]]:
    """A role with these rights, and its binding."""
    return [_object(kind, place, rules=rights.rules(granted)), _bind(kind, place, tenancy)]


def _bind(kind: str, place: dict[str, str], tenancy: Tenancy) -> dict[str, Any]:
    subject: dict[str, str] = {"kind": tenancy.kind, "name": tenancy.subject}
    if tenancy.kind == "ServiceAccount":
        subject["namespace"] = tenancy.namespace
    else:
        subject["apiGroup"] = _RBAC
    reference = {"apiGroup": _RBAC, "kind": kind, "name": place["name"]}
    return _object(f"{kind}Binding", place, roleRef=reference, subjects=[subject])


def _object(kind: str, place: dict[str, str], **content: Any) -> dict[str, Any]:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": place, **content}


def _quota(tenancy: Tenancy) -> dict[str, Any]:
    hard = {
        "requests.nvidia.com/gpu": str(tenancy.gpus),
        "requests.cpu": str(tenancy.cpus),
        "limits.memory": f"{tenancy.memory}Gi",
        "count/jobs.batch": str(tenancy.jobs),
    }
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": _NAME, "namespace": tenancy.namespace},
        "spec": {"hard": hard},
    }


def _network(tenancy: Tenancy) -> dict[str, Any]:
    """Nothing connects to a run's pods; they connect to whatever they need."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": _NAME, "namespace": tenancy.namespace},
        "spec": {
            "podSelector": {"matchLabels": {MANAGED: "sendoff"}},
            "policyTypes": ["Ingress"],
            "ingress": [],
        },
    }
