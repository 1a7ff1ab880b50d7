"""What is put into a fresh cluster: a namespace for runs, simulated nodes, simulated GPUs."""

from __future__ import annotations

from tests.stack import nodes
from tests.stack.api import Api, Object, Refused
from tests.stack.site import NAMESPACE, NODE

_LEVELS = ("enforce", "warn", "audit")


def populate(api: Api) -> None:
    """Make the namespace, with Pod Security "restricted" enforced, and the nodes kwok simulates."""
    labels = {f"pod-security.kubernetes.io/{level}": "restricted" for level in _LEVELS}
    namespace = {"metadata": {"name": NAMESPACE, "labels": labels}}
    api.create("/api/v1/namespaces", namespace)
    for node in nodes.fake():
        api.create("/api/v1/nodes", node)


def give_gpus(api: Api) -> bool:
    """Give the real node its simulated GPUs; False while there is no Ready node to give them to."""
    try:
        if not ready(api, NODE):
            return False
    except Refused as refused:
        if refused.status == 404:
            return False
        raise
    labels, status = nodes.real()
    api.merge(f"/api/v1/nodes/{NODE}", labels)
    api.merge(f"/api/v1/nodes/{NODE}/status", status)
    return True


def settled(api: Api) -> str | None:
    """What the cluster still waits for before it takes runs, or None."""
    waiting = [name for name, well in _nodes(api).items() if not well]
    if waiting:
        return f"nodes not ready: {', '.join(waiting)}"
    allocatable = api.get(f"/api/v1/nodes/{NODE}")["status"]["allocatable"]
    if allocatable.get("nvidia.com/gpu") != str(nodes.REAL_GPU["count"]):
        return f"{NODE} offers no GPUs"
    try:
        # Pods are refused until the controller manager has made it.
        api.get(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default")
    except Refused as refused:
        return str(refused)
    return None


def ready(api: Api, node: str) -> bool:
    return _ready(api.get(f"/api/v1/nodes/{node}"))


def _nodes(api: Api) -> dict[str, bool]:
    return {each["metadata"]["name"]: _ready(each) for each in api.get("/api/v1/nodes")["items"]}


def _ready(node: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    # A node is tainted until its controller has seen it ready, and takes no pod before.
    taints = {each["key"] for each in node["spec"].get("taints") or []}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints
