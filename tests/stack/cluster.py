"""What is put into a fresh cluster: a namespace for runs, simulated nodes, simulated GPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.stack import nodes
from tests.stack.api import Api, Object, Refused
from tests.stack.site import NAMESPACE, NODE

_LEVELS = ("enforce", "warn", "audit")
_UNWELL = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


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


@contextmanager
def probing(api: Api, image: str) -> Iterator[Callable[[], bool]]:
    """A pod for the real node; gives what says whether it runs.

    After an outage of the API server the scheduler and the kubelet, well as they are, look for pods
    again only after a pause of up to a minute.
    """
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    name = api.create(pods, _probe(image))["metadata"]["name"]
    try:
        yield lambda: api.get(f"{pods}/{name}")["status"]["phase"] == "Running"
    finally:
        api.ask("DELETE", f"{pods}/{name}", {"gracePeriodSeconds": 0})


def _probe(image: str) -> Object:
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "metadata": {"generateName": "probe-"},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [{"name": "pause", "image": image, "securityContext": restricted}],
            "nodeSelector": {"kubernetes.io/hostname": NODE},
            "terminationGracePeriodSeconds": 0,
        },
    }


def ready(api: Api, node: str) -> bool:
    return _ready(api.get(f"/api/v1/nodes/{node}"))


def _nodes(api: Api) -> dict[str, bool]:
    return {each["metadata"]["name"]: _ready(each) for each in api.get("/api/v1/nodes")["items"]}


def _ready(node: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    # A node is tainted until its controller has seen it ready, and takes no pod before.
    tainted = any(each["key"] in _UNWELL for each in node["spec"].get("taints") or [])
    return conditions.get("Ready") == "True" and not tainted
