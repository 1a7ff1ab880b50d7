"""GPU classes: names such as `h100`, and what they mean on a cluster's nodes. Pure."""

from __future__ import annotations

import msgspec

from packer.record import Record

NVIDIA, AMD = "nvidia.com/gpu", "amd.com/gpu"
PRODUCT = "nvidia.com/gpu.product"
GKE_SLICE = "cloud.google.com/gke-gpu-partition-size"
MIG = "mig-"
AMD64 = "amd64"

Labels = dict[str, tuple[str, ...]]
"""Label → values it may have, with none: it must be absent; all labels must hold."""


class Toleration(Record, frozen=True):
    """A taint that pods of a class put up with, as in the Kubernetes API."""

    key: str
    operator: str = "Exists"
    value: str = ""
    effect: str = ""


class GpuClass(Record, frozen=True):
    """One class of GPU, or one size of slice of it."""

    name: str
    resource: str = NVIDIA
    """The extended resource that its nodes offer."""
    labels: tuple[Labels, ...] = ()
    """A node is of the class where any one of these holds; with none, where it has the resource."""
    memory: int = 0
    """Bytes of one GPU or slice; 0 where unknown."""
    compute: str = ""
    """CUDA compute capability: "9.0"."""
    driver: str = ""
    """The first driver branch that supports it: "525.60"."""
    mig: tuple[str, ...] = ()
    """Profiles that it can be cut into: "1g.10gb"."""
    tolerations: tuple[Toleration, ...] = ()
    """Besides those that every class of the resource has."""
    arch: str = AMD64
    """The architecture of its nodes, as their label `kubernetes.io/arch` has it."""
    runtime_class: str = ""
    queue: str = ""
    """The Kueue queue of this class; empty for that of the configuration."""


def slices(base: GpuClass, profile: str) -> tuple[GpuClass, GpuClass]:
    """The two forms that a slice of `base` can have on a cluster.

    With the MIG strategy "mixed" a slice is a resource of its own on nodes of the whole product;
    with "single", and on GKE, the node's labels say that all its GPUs are cut so.
    """
    name, memory = f"{base.name}-{MIG}{profile}", _memory(profile)
    mixed = msgspec.structs.replace(
        base, name=name, resource=f"nvidia.com/{MIG}{profile}", memory=memory, mig=()
    )
    single = msgspec.structs.replace(
        base,
        name=name,
        labels=tuple(_cut(labels, profile) for labels in base.labels if _cuttable(labels)),
        memory=memory,
        mig=(),
    )
    return mixed, single


def _cuttable(labels: Labels) -> bool:
    return bool(labels.get(PRODUCT)) or GKE_SLICE in labels


def _cut(labels: Labels, profile: str) -> Labels:
    if GKE_SLICE in labels:
        return {**labels, GKE_SLICE: (profile,)}
    return {**labels, PRODUCT: tuple(f"{product}-MIG-{profile}" for product in labels[PRODUCT])}


def _memory(profile: str) -> int:
    """Bytes of a slice: "1g.10gb" has 10 GB."""
    return int(profile.partition(".")[2].removesuffix("gb")) * 10**9
