"""Layers of wheels that are pinned ahead, below a prefix of their own: the runner's libraries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock, WheelPin
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.layers.layer_memory import LayerMemory
from packer.progress import Progress
from packer.record import encode
from packer.wheels import wheel_choice
from packer.wheels.errors import WheelUnavailable

if TYPE_CHECKING:
    from packer.wheels.wheelhouse import Arrivals

PINS_FORMAT = "sendoff.pins/1"


class Libraries(NamedTuple):
    """What is to be packed, and for which image."""

    pins: bytes
    """TOML of `PINS_FORMAT`: wheels of one version of each name, for many targets."""
    prefix: str
    """In-image path that they are laid out below, as in an environment."""
    platform: str
    glibc: str
    """Of the base: "2.36"; empty where it is not known."""


class Workplace(NamedTuple):
    """What packing works with on this machine."""

    interpreter: Interpreter
    project: Path
    cache: Path
    layout: Layout
    progress: Progress


def build(libraries: Libraries, place: Workplace) -> tuple[Layer, ...]:
    """The layers, made from wheels that the sandbox's index has.

    Raises:
        WheelUnavailable: the index lacks one of them, or none answers.
        WheelCorrupt, WheelHashMismatch, DiskFull
    """
    known = LayerMemory(place.cache / "layers", place.layout)
    interpreter = place.interpreter
    compiler = [interpreter.version, interpreter.magic, interpreter.cache_tag]
    image = [libraries.prefix, libraries.platform, libraries.glibc]
    facts = [Digest.of(libraries.pins), image, compiler]
    key = Digest.of(encode(["libraries", LAYOUT_VERSION, facts]))
    layers = known.recall_all(key)
    if layers is None:
        layers = _build(libraries, place)
        known.remember(key, layers)
    return layers


def _build(libraries: Libraries, place: Workplace) -> tuple[Layer, ...]:
    from packer.environment import target
    from packer.layers.environment_image import build_layers

    wanted = target.of(place.interpreter, libraries.platform, libraries.glibc)
    lock = Lock(
        python=place.interpreter.version,
        platform=libraries.platform,
        wheels=wheel_choice.by_tags(read(libraries.pins), wanted.tags),
    )
    return build_layers(
        lock,
        {},
        lambda pins: _fetch(pins, place),
        place.interpreter,
        place.layout,
        place.cache / "layers",
        place.progress,
        prefix=libraries.prefix,
    )


def read(pins: bytes) -> tuple[WheelPin, ...]:
    """All wheels of the pins.

    Raises:
        ValueError: they are of another format.
    """
    import tomllib

    content = tomllib.loads(pins.decode())
    if content.get("format") != PINS_FORMAT:
        raise ValueError(f"pins of the format {content.get('format')!r}, not {PINS_FORMAT}")
    return tuple(WheelPin(**wheel) for wheel in content["wheels"])


def _fetch(pins: tuple[WheelPin, ...], place: Workplace) -> Arrivals:
    from packer.environment import locking
    from packer.environment.sandbox import Sandbox
    from packer.wheels import candidates
    from packer.wheels.candidates import Question

    interpreter = place.interpreter
    house = locking.wheelhouse(
        Sandbox(interpreter=interpreter, project=place.project, cache=place.cache)
    )
    absent = [pin for pin in pins if not house.has(pin)]
    question = Question(python=interpreter.executable, project=place.project, sources=house.sources)
    offer = candidates.ask(question, [(pin.name, pin.version) for pin in absent])
    urls = {wheel.sha256: wheel.url for wheels in offer.wheels.values() for wheel in wheels}
    for pin in absent:
        if pin.sha256 not in urls:
            said = offer.unreachable or f"the index has no {pin.filename} with its sha256"
            raise WheelUnavailable(pin.filename, "the sandbox's index", said)
    found = [msgspec.structs.replace(pin, url=urls.get(pin.sha256, "")) for pin in pins]
    return house.fetch(found, place.progress)
