"""An environment's layers made again, by who made them before: the native builder or BuildKit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from packer import image_paths
from packer.building import choice
from packer.building.errors import BuilderNeeded
from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock, Recipe, WheelPin
from packer.images.base import Base
from packer.images.layout import Layout
from packer.layers import environment_image, interpreter_layer, made_layer
from packer.layers.layer import Layer
from packer.layers.layer_memory import LayerMemory
from packer.layers.made_layer import Contents
from packer.progress import SILENT, Progress
from packer.reproduction.difference import Difference
from packer.reproduction.recorded import RecordedImage
from packer.reproduction.wheels import Wheels

if TYPE_CHECKING:
    from packer.buildkit.builder import Builder
    from packer.wheels.wheelhouse import Arrivals


class Workshop(NamedTuple):
    """What packing again works with on this machine."""

    interpreter: Interpreter
    """Of the image's Python minor; what it compiles is the same where the patch is too."""
    wheels: Wheels
    cache: Path
    """Where builders are remembered; what was made is not believed."""
    builder: str = ""
    """As the setting of that name."""
    base: str = ""
    """A name of the image's base, where anybody knows one: "REPOSITORY@sha256:…"."""
    progress: Progress = SILENT


class Place(NamedTuple):
    """Where all goes that is made for one environment."""

    layout: Layout
    memory: Path

    def single(self, contents: Contents) -> Layer:
        """A layer of a few small files."""
        return made_layer.build(contents, self.layout, LayerMemory(self.memory, self.layout))


class NotTheSame(Exception):
    """Something that the layers are made of does not come out as it was."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference)
        self.difference = difference


class Environment:
    """The environment of an image, to be made again."""

    def __init__(self, image: RecordedImage, lock: Lock, base: Base | None, shop: Workshop) -> None:
        self._lock, self._base, self._shop = lock, base, shop
        self._whole = choice.LABEL in image.labels

    def layers(self, files: Mapping[str, Path | bytes], place: Place) -> tuple[Layer, ...]:
        """Its layers above the base; `files`: sha256 → bytes of what came without a wheel.

        Raises:
            NotTheSame: a wheel that was built comes out otherwise than it did.
            BuilderNeeded: something has to be run, and no builder is named.
            BuiltElsewhere, WheelUnavailable, WheelHashMismatch, DiskFull
            BuilderUnreachable, BuilderDied, BuildFailed, SourceUnusable, WheelNotBuilt
        """
        layers = self._installed(files, place) if self._whole else self._laid_out(files, place)
        if self._base:
            return (*layers, place.single(interpreter_layer.contents(self._base)))
        return layers or (place.single(Contents(directories=(image_paths.PREFIX,))),)

    def _laid_out(self, files: Mapping[str, Path | bytes], place: Place) -> tuple[Layer, ...]:
        shop = self._shop
        return environment_image.build_layers(
            self._lock,
            files,
            self._fetch,
            shop.interpreter,
            place.layout,
            place.memory,
            shop.progress,
        )

    def _installed(self, files: Mapping[str, Path | bytes], place: Place) -> tuple[Layer, ...]:
        from packer.building.environment_layers import BuildKitLayers

        builder = self._builder("the environment", "BuildKit has installed it")
        made = BuildKitLayers(builder, self._named_base(), fresh=True)
        return made.layers(self._lock, files, self._fetch, place.layout, self._shop.progress)

    def _fetch(self, pins: tuple[WheelPin, ...]) -> Arrivals:
        house = self._shop.wheels.house
        for pin in pins:
            if pin.built and not pin.url and not house.has(pin):
                self._make(pin, pin.built)
        return self._shop.wheels.fetch(pins)

    def _make(self, pin: WheelPin, recipe: Recipe) -> None:
        from packer.building.wheelwright import Wheelwright
        from packer.building.wheelwright import Workshop as Bench
        from packer.environment import target

        shop = self._shop
        builder = self._builder(pin.filename, f"it was built from {recipe.source}")
        base = self._named_base()
        bench = Bench(
            builder,
            base,
            target.of(shop.interpreter, self._lock.platform, base.glibc),
            recipe.packages,
        )
        wheelwright = Wheelwright(bench, shop.wheels.house, shop.wheels.question, shop.cache)
        found = wheelwright.repeat(recipe, shop.progress)
        if found.sha256 != pin.sha256:
            detail = f"{pin.filename}, built from {recipe.source}"
            raise NotTheSame(
                Difference(what="environment", was=pin.sha256, now=found.sha256, detail=detail)
            )

    def _builder(self, what: str, reason: str) -> Builder:
        from packer.buildkit.builder import Builder

        chosen = choice.parse(self._shop.builder)
        if not self._shop.builder or not chosen.runs:
            raise BuilderNeeded(what, reason, "or ask for --level L2, which packs nothing")
        return Builder.at(chosen.address, self._shop.cache)

    def _named_base(self) -> Base:
        """The base under a name by which a builder finds it."""
        if self._base is None:
            raise BuilderNeeded("the environment", "it stands on no base", "ask for --level L2")
        repository, _, digest = self._shop.base.rpartition("@")
        if digest != self._base.digest:
            return self._base
        return replace(self._base, repository=repository)
