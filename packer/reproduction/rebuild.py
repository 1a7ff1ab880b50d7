"""Packing again what an image was packed from, with nothing remembered: is it the same digest?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from packer import image_paths
from packer.building import choice
from packer.digest import Digest
from packer.environment.lock import Lock, essence
from packer.images import image as images
from packer.images.base import Base
from packer.images.image import Image
from packer.images.layout import Layout
from packer.images.shelf import Shelf
from packer.layers import code_layers
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.layers.made_layer import Contents
from packer.record import Record, encode
from packer.reproduction import bases, locks, loose_files, recorded, trees
from packer.reproduction.difference import Difference
from packer.reproduction.environments import Environment, NotTheSame, Place, Workshop
from packer.reproduction.recorded import RecordedImage
from packer.workplace import workplace


class Rebuilt(Record, frozen=True):
    """What came of packing again."""

    digest: Digest | None
    """None where it can't be packed to the end as it was."""
    difference: Difference | None = None
    """None where the digest is the same."""


def rebuild(images: Sequence[RecordedImage], shelf: Shelf, shop: Workshop) -> tuple[Rebuilt, ...]:
    """Pack the recorded project and lock of each image again, in an empty folder.

    The images, one at least, name one environment, lock and base; the environment is made once.
    The runner, which is sendoff's own, is taken as it is in the image.

    Raises:
        DigestUnknown: the environment image is gone.
        LockMissing, BuiltElsewhere, WheelUnavailable, RecordDamaged, DiskFull; and as `Shelf`.
        BuilderNeeded: BuildKit has installed or built something, and there is no builder.
    """
    if foreign := _foreign(images[0], shelf):
        return tuple(Rebuilt(digest=None, difference=foreign) for _ in images)
    with workplace(shop.cache, "what is packed again") as folder:
        place = Place(Layout(folder / "layout"), folder / "memory")
        each = [
            _Rebuild(image, shelf, shop, folder / f"image-{number}", place)
            for number, image in enumerate(images)
        ]
        try:
            environment = each[0].environment()
        except NotTheSame as found:
            return tuple(Rebuilt(digest=None, difference=found.difference) for _ in images)
        return tuple(one.upon(environment) for one in each)


def _foreign(image: RecordedImage, shelf: Shelf) -> Difference | None:
    """In what the image is not of the environment that it names: lock, or base."""
    environment = recorded.read_any(Digest(image.labels["environment"]), shelf)
    pairs = (
        ("lock", image.labels["lock"], environment.labels.get("lock", "")),
        ("base", image.base, environment.base),
    )
    for what, was, now in pairs:
        if was != now:
            return Difference(what=what, was=was, now=now, detail="that of its environment")
    return None


class _Rebuild:
    """Of one image."""

    def __init__(
        self, image: RecordedImage, shelf: Shelf, shop: Workshop, folder: Path, place: Place
    ) -> None:
        self._image, self._shelf, self._shop = image, shelf, shop
        self._folder, self._place, self._layout = folder, place, place.layout

    @cached_property
    def _source(self) -> trees.Source:
        return trees.read(self._image, self._shelf, self._folder / "source", self._shop.progress)

    @cached_property
    def _lock(self) -> Lock:
        return locks.find(self._image, self._shelf)

    @cached_property
    def _base(self) -> Base | None:
        return bases.below(self._image, self._lock, self._shelf)

    def environment(self) -> tuple[Layer, ...]:
        """The layers of the environment image above its base.

        Raises:
            NotTheSame: they can't become what they were.
        """
        source, lock = self._source, self._lock
        files = loose_files.find(lock, source.environment, self._shelf, self._folder / "files")
        return Environment(self._image, lock, self._base, self._shop).layers(files, self._place)

    def upon(self, environment: tuple[Layer, ...]) -> Rebuilt:
        """All that is above the environment's layers, and the image."""
        source, lock = self._source, self._lock
        layers = self._above_base(environment, source)
        made = self._made(lock, layers, self._labels(lock, source, environment))
        digest = images.write(made, self._layout).digest
        if digest == self._image.digest:
            return Rebuilt(digest=digest)
        return Rebuilt(digest=digest, difference=self._difference(source, environment, layers))

    def _above_base(
        self, environment: tuple[Layer, ...], source: trees.Source
    ) -> tuple[Layer, ...]:
        build, memory = code_layers.build, self._place.memory
        progress = self._shop.progress
        editables: tuple[Layer, ...] = ()
        if source.editables:
            editables = build(source.editables, self._layout, memory, progress)
        code = build((source.project,), self._layout, memory, progress)
        last = (
            (self._place.single(Contents(open_directories=(image_paths.WORKSPACE,))),)
            if self._base
            else ()
        )
        return (*environment, *source.runner, *editables, *code, *last)

    def _labels(
        self, lock: Lock, source: trees.Source, environment: tuple[Layer, ...]
    ) -> dict[str, str]:
        locked = {"lock": str(Digest.of(encode(essence(lock))))}
        if choice.LABEL in self._image.labels:
            locked[choice.LABEL] = self._image.labels[choice.LABEL]
        below = Image(
            layers=environment,
            platform=lock.platform,
            python=lock.python,
            base=self._base,
            labels=locked,
        )
        named = {
            tree.target.removeprefix(image_paths.EDITABLE + "/"): tree for tree in source.editables
        }
        editables = {
            f"editable.{name}": str(named[name].snapshot.digest)
            for name in _editables(self._image.labels)
            if name in named
        }
        request = self._image.labels.get("request")
        return {
            **locked,
            "snapshot": str(source.project.snapshot.digest),
            **editables,
            "environment": str(images.write(below, self._layout).digest),
            **({"request": request} if request else {}),
        }

    def _made(self, lock: Lock, layers: tuple[Layer, ...], labels: Mapping[str, str]) -> Image:
        return Image(
            layers=layers,
            platform=lock.platform,
            python=lock.python,
            base=self._base,
            command=self._image.command,
            environment=own_variables(self._image, self._base),
            labels=dict(labels),
        )

    def _difference(
        self,
        source: trees.Source,
        environment: tuple[Layer, ...],
        layers: tuple[Layer, ...],
    ) -> Difference:
        image, shop, base = self._image, self._shop, self._base
        was, now = image.labels, source.project.snapshot.digest
        above = image.layers[len(base.layers) if base else 0 :]
        below = above[: len(environment)]
        # What BuildKit installs is compiled by the Python of the base.
        python = was["python"] if choice.LABEL in was else shop.interpreter.version
        pairs = (
            ("tree", was["snapshot"], str(now), "the project's files"),
            (
                "environment",
                f"layout version {was['layout-version']}",
                f"layout version {LAYOUT_VERSION}",
                "another version of sendoff lays files out in another way",
            ),
            ("environment", was["python"], python, _BYTECODE),
            (
                "environment",
                *_layers(below, environment),
                _of_layers(below, environment),
            ),
            ("tree", *_layers(above, layers), "the layers of the code"),
        )
        for what, before, after, detail in pairs:
            if before != after:
                return Difference(what=what, was=before, now=after, detail=detail)
        return Difference(what="request", was=image.digest, now="", detail="the image's config")


_BYTECODE = "bytecode is compiled by the very version of Python that packed it"


def _of_layers(was: Sequence[Layer], now: Sequence[Layer]) -> str:
    """What is to be said of an environment's layers, should they differ."""
    if [layer.diff_id for layer in was] == [layer.diff_id for layer in now]:
        return "the same files, compressed otherwise"
    return "its layers"


def _layers(was: Sequence[Layer], now: Sequence[Layer]) -> tuple[str, str]:
    """The first layers that differ; twice nothing where none does."""
    for number in range(max(len(was), len(now))):
        before = was[number].digest if number < len(was) else ""
        after = now[number].digest if number < len(now) else ""
        if before != after:
            return before, after
    return "", ""


def _editables(labels: Mapping[str, str]) -> list[str]:
    return [name.removeprefix("editable.") for name in labels if name.startswith("editable.")]


def own_variables(image: RecordedImage, base: Base | None) -> dict[str, str]:
    """The variables that the command brought: neither the base's nor those of every image."""
    inherited = dict(base.environment) if base else {}
    path = base.path if base else image_paths.SYSTEM_PATH
    every = {
        **inherited,
        "PATH": f"{image_paths.PREFIX}/bin:{path}",
        "VIRTUAL_ENV": image_paths.PREFIX,
    }
    return {name: text for name, text in image.variables.items() if every.get(name) != text}
