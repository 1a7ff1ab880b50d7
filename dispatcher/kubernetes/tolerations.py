"""Which taints the pods of a run put up with. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.kubernetes.gpu_classes import AMD, GpuClass, Toleration
from dispatcher.kubernetes.objects import Taint
from dispatcher.kubernetes.settings import ClusterSettings

_NO_SCHEDULE = "NoSchedule"
_EFFECTS = (_NO_SCHEDULE, "NoExecute", "PreferNoSchedule")
_NVIDIA = (
    Toleration(key="nvidia.com/gpu", effect=_NO_SCHEDULE),
    # What AKS and its documentation taint GPU pools with.
    Toleration(key="sku", operator="Equal", value="gpu", effect=_NO_SCHEDULE),
)
_AMD = (Toleration(key=AMD, effect=_NO_SCHEDULE),)
_SPOT = (
    Toleration(key="cloud.google.com/gke-spot", operator="Equal", value="true"),
    Toleration(key="cloud.google.com/gke-preemptible", operator="Equal", value="true"),
    Toleration(key="kubernetes.azure.com/scalesetpriority", operator="Equal", value="spot"),
    Toleration(key="karpenter.sh/capacity-type", operator="Equal", value="spot"),
    Toleration(key="eks.amazonaws.com/capacityType", operator="Equal", value="SPOT"),
)
# Set and removed by the cluster itself, as nodes come and go.
_PASSING = (
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
    "karpenter.sh/disrupted",
    "karpenter.sh/unregistered",
)


def tolerations(classes: Iterable[GpuClass], settings: ClusterSettings) -> tuple[Toleration, ...]:
    """Those of pods that may go on the nodes of these classes."""
    found: list[Toleration] = []
    for gpu in classes:
        found += _AMD if gpu.resource.startswith("amd.com/") else _NVIDIA
        found += gpu.tolerations
    found += settings.tolerations
    if settings.spot:
        found += _SPOT
    return tuple(dict.fromkeys(found))


def parse(text: str) -> Toleration:
    """That of a taint as kubectl writes it: "key=value:NoSchedule", "key:NoExecute", "key".

    Raises:
        ValueError
    """
    name, colon, effect = text.partition(":")
    key, equals, value = name.partition("=")
    if not key or (colon and effect not in _EFFECTS):
        raise ValueError(f"{text!r} is no taint; write it as KEY[=VALUE][:NoSchedule]")
    return Toleration(key=key, operator="Equal" if equals else "Exists", value=value, effect=effect)


def as_manifest(toleration: Toleration) -> dict[str, str]:
    """The toleration as a pod's manifest has it; what is empty is left out."""
    fields = ("key", "operator", "value", "effect")
    return {field: text for field in fields if (text := getattr(toleration, field))}


def keeping_off(taints: Iterable[Taint], tolerated: Iterable[Toleration]) -> tuple[Taint, ...]:
    """The taints that keep pods with these tolerations off for good."""
    known = tuple(tolerated)
    return tuple(
        taint
        for taint in taints
        if taint.effect in (_NO_SCHEDULE, "NoExecute")
        and not taint.key.startswith(_PASSING)
        and not any(_tolerates(each, taint) for each in known)
    )


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    """As the scheduler sees it (core/v1, Toleration.ToleratesTaint)."""
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    return toleration.operator == "Exists" or toleration.value == taint.value
