"""What went into an image, what stayed out, and why: a value to be shown."""

from __future__ import annotations

import os

from packer.building.plan import Task
from packer.digest import Digest
from packer.environment.environment_report import Arrival, Retargeted
from packer.layers.layer import Layer
from packer.packed import Outlook, Packed
from packer.project import listing
from packer.project.snapshot import LeftOut, Snapshot
from packer.record import Record

_LARGEST = 10


class PackedFile(Record, frozen=True):
    """One of the largest files."""

    path: str
    """Fit to be shown."""
    size: int


class SourceTree(Record, frozen=True):
    """The project, or a tree of an editable install."""

    name: str
    """Empty for the project."""
    digest: Digest
    files: int
    size: int
    """Bytes."""
    largest: tuple[PackedFile, ...]
    left_out: tuple[LeftOut, ...]


class Explanation(Record, frozen=True):
    """All that decided a digest."""

    images: tuple[Digest, ...]
    environment: Digest
    python: str
    """Full version."""
    platform: str
    trees: tuple[SourceTree, ...]
    """The project first."""
    distributions: tuple[Arrival, ...]
    warnings: tuple[str, ...]
    tasks: tuple[Task, ...]
    """Which builder did what."""
    retargeted: Retargeted | None
    """From what to what; None where everything is as it is installed."""
    layers: tuple[Layer, ...]
    size: int
    """Bytes of all layers as they are stored and sent."""


class Forecast(Record, frozen=True):
    """The same as far as nothing is made."""

    python: str
    """Full version."""
    platform: str
    arrivals: tuple[Arrival, ...]
    warnings: tuple[str, ...]
    tasks: tuple[Task, ...]
    """Which builder would do what."""
    built: dict[str, str]
    """Distributions whose wheel would be built, and what from."""
    retargeted: Retargeted | None


def forecast(outlook: Outlook) -> Forecast:
    """What `outlook` says, to be shown."""
    report = outlook.report
    return Forecast(
        python=outlook.lock.python,
        platform=outlook.lock.platform,
        arrivals=report.arrivals,
        warnings=report.warnings,
        tasks=outlook.tasks,
        built=report.built,
        retargeted=report.retargeted,
    )


def explain(packed: Packed) -> Explanation:
    """Why `packed` is what it is."""
    trees = {"": packed.project, **packed.editables}
    return Explanation(
        images=packed.images,
        environment=packed.environment,
        python=packed.lock.python,
        platform=packed.lock.platform,
        trees=tuple(_tree(name, each) for name, each in trees.items()),
        distributions=packed.report.arrivals,
        warnings=packed.report.warnings,
        tasks=packed.tasks,
        retargeted=packed.report.retargeted,
        layers=packed.layers,
        size=sum(layer.size for layer in packed.layers),
    )


def _tree(name: str, taken: Snapshot) -> SourceTree:
    entries = sorted(listing.entries(taken.listing), key=lambda each: (-each.size, each.path))
    return SourceTree(
        name=name,
        digest=taken.digest,
        files=taken.files,
        size=taken.size,
        largest=tuple(
            PackedFile(path=listing.shown(os.fsencode(each.path)), size=each.size)
            for each in entries[:_LARGEST]
        ),
        left_out=taken.left_out,
    )
