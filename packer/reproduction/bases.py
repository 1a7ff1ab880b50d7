"""The base of an image, read out of what was laid upon it: nobody else need be asked."""

from __future__ import annotations

from msgspec.structs import replace

from packer.building import choice
from packer.digest import Digest
from packer.environment.lock import Lock
from packer.image_paths import PREFIX
from packer.images import base as bases
from packer.images.base import Base
from packer.images.image import LABEL, NO_BASE
from packer.images.shelf import Shelf
from packer.layers import environment_plan
from packer.reproduction import recorded
from packer.reproduction.recorded import RecordedImage

_OURS = frozenset({"base", "python", "layout-version", "lock", choice.LABEL})
"""Labels of every environment image, without what they begin with."""


def below(image: RecordedImage, lock: Lock, shelf: Shelf) -> Base | None:
    """What the image's environment was laid upon; None where that was nothing.

    Raises:
        DigestUnknown: the environment image is gone.
        BaseUnusable: what is below does not say where its Python is.
        As `Shelf`.
    """
    if image.base == NO_BASE:
        return None
    environment = recorded.read_any(Digest(image.labels["environment"]), shelf)
    # Above the base are the environment's layers, and one that makes it a virtual one.
    own = len(environment_plan.plan(lock)) + 1
    settings = dict(environment.config["config"])
    ours = {LABEL + name for name in _OURS}
    labels = {
        name: text for name, text in (settings.get("Labels") or {}).items() if name not in ours
    }
    found = bases.of(
        shelf.place,
        Digest(image.base),
        environment.platform,
        environment.layers[:-own],
        {**settings, "Labels": labels},
    )
    variables = {name: text for name, text in found.environment.items() if name != "VIRTUAL_ENV"}
    path = variables.get("PATH", "").removeprefix(f"{PREFIX}/bin:")
    return replace(found, environment={**variables, "PATH": path})
