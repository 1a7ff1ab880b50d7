"""Why two builds of a base have different digests: which layer, which paths, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packer.bases import contents
from packer.bases.contents import ImageContents, LayerEntry
from packer.digest import Digest
from packer.images.layout import Layout
from packer.record import Record


class Difference(Record, frozen=True):
    """One thing that differs."""

    where: str
    """ "config", "manifest", or "layer 1" (the lowest)."""
    what: str
    """A path in the layer, or a field."""
    why: str


class Comparison(Record, frozen=True):
    """Two images side by side."""

    first: Digest
    second: Digest
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether they are one image."""
        return self.first == self.second


def compare(first: tuple[Layout, Digest], second: tuple[Layout, Digest]) -> Comparison:
    """What differs between two images that may lie in two layouts.

    Raises:
        BlobMissing, BlobAltered, LayoutDamaged
    """
    digests = first[1], second[1]
    if digests[0] == digests[1]:
        return Comparison(first=digests[0], second=digests[1])
    images = contents.read(*first), contents.read(*second)
    found = [*_of_configs(*images)]
    for number, layers in enumerate(zip(images[0].layers, images[1].layers, strict=False)):
        if layers[0] != layers[1]:
            unpacked = images[0].diff_ids[number] != images[1].diff_ids[number]
            trees = [
                contents.entries(layout, layer) if unpacked else {}
                for (layout, _), layer in zip((first, second), layers, strict=True)
            ]
            found += of_trees(f"layer {number + 1}", *trees)
    found = found or [Difference(where="manifest", what="", why="it is written otherwise")]
    return Comparison(first=digests[0], second=digests[1], differences=tuple(found))


def of_trees(
    where: str, first: Mapping[str, LayerEntry], second: Mapping[str, LayerEntry]
) -> list[Difference]:
    """What differs between the entries of two layers whose blobs differ."""
    found = [
        Difference(where=where, what=path, why=why)
        for path in sorted({*first, *second})
        for why in _of_entries(first.get(path), second.get(path))
    ]
    if found:
        return found
    if list(first) != list(second):
        return [Difference(where=where, what="", why="the same entries stand in another order")]
    why = "the same files, compressed otherwise: another version of the builder"
    return [Difference(where=where, what="", why=why)]


def _of_entries(first: LayerEntry | None, second: LayerEntry | None) -> Iterator[str]:
    if first is None or second is None:
        yield "only in the first" if second is None else "only in the second"
        return
    if first.kind != second.kind:
        yield f"a {first.kind} against a {second.kind}"
        return
    if first.content != second.content:
        yield f"content {first.content[:12]} against {second.content[:12]}"
    if first.target != second.target:
        yield f"leads to {first.target} against {second.target}"
    if first.mode != second.mode:
        yield f"mode {first.mode:04o} against {second.mode:04o}"
    if first.owner != second.owner:
        yield "owner {}:{} against {}:{}".format(*first.owner, *second.owner)
    if first.modified != second.modified:
        yield f"modified {first.modified} against {second.modified}"


def _of_configs(first: ImageContents, second: ImageContents) -> Iterator[Difference]:
    if len(first.layers) != len(second.layers):
        why = f"{len(first.layers)} layers against {len(second.layers)}"
        yield Difference(where="manifest", what="layers", why=why)
    one, other = _fields(first.config), _fields(second.config)
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            why = f"{one.get(name)!r} against {other.get(name)!r}"
            yield Difference(where="config", what=name, why=why)


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a config that say something of their own, "config.Env" for one inside."""
    top = {key: value for key, value in config.items() if key not in ("config", "rootfs")}
    inner = {f"config.{key}": value for key, value in (config.get("config") or {}).items()}
    return top | inner
