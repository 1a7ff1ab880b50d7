"""What came of packing: digests, and all that decided them."""

from __future__ import annotations

from packer.building.plan import Task
from packer.digest import Digest
from packer.environment.environment_report import EnvironmentReport
from packer.environment.lock import Lock
from packer.layers.layer import Layer
from packer.project.repository import Revision
from packer.project.snapshot import Snapshot
from packer.record import Record


class Packed(Record, frozen=True):
    """Every digest is of something in the layout."""

    images: tuple[Digest, ...]
    """The run images' manifests, one for each command."""
    environment: Digest
    """The environment image's manifest."""
    snapshot: Digest
    """Of the project's listing."""
    lock: Lock
    lock_digest: Digest
    """Of the canonical JSON of the lock's essence: no index, mirror or folder of this machine in
    it."""
    layers: tuple[Layer, ...]
    """Of each run image, above its base: environment, runner, editable trees, project."""
    tags: dict[str, Digest]
    """Names of the images in the layout, fit for a registry too."""
    project: Snapshot
    editables: dict[str, Snapshot]
    """Source trees outside the project, by the name of the distribution."""
    report: EnvironmentReport
    revision: Revision | None
    """What git says of the project; None outside a repository."""
    timings: dict[str, float]
    """Seconds that each step took."""
    base: str = ""
    """The base image, `REPOSITORY@sha256:…`; empty for none."""
    driver: str = ""
    """The oldest GPU driver that the base is of use with; empty for any."""
    tasks: tuple[Task, ...] = ()
    """Which builder did what."""


class Outlook(Record, frozen=True):
    """What would come of packing, as far as nothing is made."""

    lock: Lock
    """With a provisional pin for each wheel that is still to be built."""
    report: EnvironmentReport
    tasks: tuple[Task, ...]
    """Which builder would do what. Layers are counted as if wheels to be built had no size."""
