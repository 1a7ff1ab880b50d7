"""GPU classes as tables: those of `gpu-classes.toml`, and those of a site's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dispatcher.gpu_expression import canonical
from dispatcher.kubernetes.gpu_classes import GKE_SLICE, NVIDIA, PRODUCT, GpuClass, Labels
from dispatcher.kubernetes.refusals import GpuClassInvalid
from packer.record import decodable

_INSTANCE = "node.kubernetes.io/instance-type"
_LABELS = {
    "product": PRODUCT,
    "gke": "cloud.google.com/gke-accelerator",
    "karpenter": "karpenter.k8s.aws/instance-gpu-name",
    "coreweave": "gpu.nvidia.com/class",
    "aks": _INSTANCE,
    "ec2": _INSTANCE,
    "amd": "amd.com/gpu.product-name",
}
# What else must hold of a node that another word than `product` describes. Where GPU Feature
# Discovery runs, what it says goes: only it tells slices and shared GPUs from whole ones.
_ALSO: dict[str, Labels] = {
    "gke": {PRODUCT: (), GKE_SLICE: (), "cloud.google.com/gke-gpu-sharing-strategy": ()},
    "karpenter": {PRODUCT: ()},
    "coreweave": {PRODUCT: ()},
    "aks": {PRODUCT: (), "kubernetes.azure.com/accelerator": ("nvidia",)},
    "ec2": {PRODUCT: ()},
}
_KARPENTER_MEMORY = "karpenter.k8s.aws/instance-gpu-memory"


class _Strict(GpuClass, frozen=True, forbid_unknown_fields=True):
    """What a table may say."""


def read(name: str, table: Any, known: Mapping[str, GpuClass]) -> GpuClass:
    """The class that `table` describes.

    It has the fields of `GpuClass` in kebab-case (`memory` in GB, `labels` one table or a list of
    them) or the words of `gpu-classes.toml`; `like` names a known class to start from. Then
    `labels` hold besides those of the known class, and words instead of them.

    Raises:
        GpuClassInvalid
    """
    if not isinstance(table, Mapping):
        raise GpuClassInvalid(name, "it is not a table")
    given = {key.replace("-", "_"): value for key, value in table.items()}
    like = given.pop("like", "")
    if like and canonical(str(like)) not in known:
        raise GpuClassInvalid(name, f"there is no class {like!r} to be like")
    start = msgspec.to_builtins(known[canonical(like)]) if like else {}
    try:
        own, described = _own(given), _described(given)
        if like:
            ways = described or start["labels"]
            given["labels"] = _both(ways, own) if own else ways
        else:
            given["labels"] = own + described
        if "memory" in given:
            given["memory"] = round(msgspec.convert(given["memory"], float) * 10**9)
        strict = msgspec.convert({**start, **given, "name": canonical(name)}, decodable(_Strict))
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise GpuClassInvalid(name, str(error)) from None
    return GpuClass(**{field: getattr(strict, field) for field in GpuClass.__struct_fields__})


def _both(ways: Sequence[Labels], own: Sequence[Labels]) -> list[Labels]:
    """The label sets of nodes that are of one of `ways` and have one of `own`."""
    return [{**way, **each} for way in ways or [{}] for each in own]


def _own(table: dict[str, Any]) -> list[Labels]:
    """The label sets of a table that are written out, which are taken out of it."""
    own = table.pop("labels", [])
    return [dict(own)] if isinstance(own, Mapping) else list(own)


def _described(table: dict[str, Any]) -> list[Labels]:
    """The label sets that a table's words stand for, which are taken out of it."""
    found: list[Labels] = []
    memory = _values(table, "karpenter_memory")
    nvidia = table.get("resource", NVIDIA) == NVIDIA
    for word, label in _LABELS.items():
        values = _values(table, word)
        if values:
            size = {_KARPENTER_MEMORY: memory} if word == "karpenter" and memory else {}
            also = _ALSO.get(word, {}) if nvidia else {}
            found.append({label: values, **size, **also})
    return found


def _values(table: dict[str, Any], word: str) -> tuple[str, ...]:
    """What a table says by one of its words, which is taken out of it."""
    found = table.pop(word, ())
    # A text would become its letters.
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{word.replace('_', '-')} is not a list of texts: {found!r}")
    return tuple(found)
