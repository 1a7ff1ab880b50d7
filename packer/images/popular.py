"""Which layers most environments on a base have in common. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from packer.images.base import Base
from packer.images.image import LABEL
from packer.layers.layer import Layer

WORTH = 1 << 20
"""Bytes from which a layer is worth having ahead of time."""
_MOST = 100
"""An image may have 127 layers, and those of its base are some of them."""


def popular(environments: Sequence[Base], base: Base, most: int) -> tuple[Layer, ...]:
    """The layers above `base` that most of these environment images have, the largest of as many.

    They come in the order in which the environment that has most of them has them, then the next:
    a node that throws blobs away once they are unpacked shares only what images begin with.
    """
    stacks = [each.layers[len(base.layers) :] for each in environments if _is_on(each, base)]
    used = Counter(layer.digest for stack in stacks for layer in set(stack))
    layers = {layer.digest: layer for stack in stacks for layer in stack if layer.size >= WORTH}
    ranked = sorted(layers.values(), key=lambda layer: (-used[layer.digest], -layer.size))
    chosen = set(ranked[: min(most, _MOST)])
    stacks.sort(key=lambda stack: -len(chosen & set(stack)))
    ordered = (layer for stack in stacks for layer in stack if layer in chosen)
    return tuple(dict.fromkeys(ordered))


def _is_on(environment: Base, base: Base) -> bool:
    return environment.labels.get(f"{LABEL}base") == base.digest
