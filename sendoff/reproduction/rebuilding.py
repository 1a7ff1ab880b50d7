"""Packing again what an image was packed from, with what this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from packer.digest import Digest
from packer.images.shelf import Shelf
from packer.progress import SILENT, Progress
from packer.reproduction.rebuild import Rebuilt, Workshop
from packer.reproduction.recorded import RecordedImage
from packer.reproduction.wheels import Wheels
from sendoff.session import Session


def rebuild(
    images: Sequence[RecordedImage], session: Session, shelf: Shelf, progress: Progress = SILENT
) -> tuple[Rebuilt, ...]:
    """Pack each image's recorded project and lock again; nothing that was made before is believed.

    Raises:
        PythonNotHere: no interpreter of an image's minor is on this machine.
        SendoffError: as `packer.reproduction.rebuild.rebuild`.
    """
    from packer.reproduction.rebuild import rebuild

    found: dict[Digest, Rebuilt] = {}
    # Those of one environment share what is made of it, here and now.
    for _, group in groupby(images, key=lambda image: image.labels["environment"]):
        alike = tuple(group)
        shop = workshop(alike[0], session, progress)
        made = rebuild(alike, shelf, shop)
        found |= {image.digest: each for image, each in zip(alike, made, strict=True)}
    return tuple(found[image.digest] for image in images)


def workshop(image: RecordedImage, session: Session, progress: Progress = SILENT) -> Workshop:
    """The interpreter of the image's version that is here, or of its minor; and the wheels.

    Raises:
        PythonNotHere, PythonNotFound
    """
    from dispatcher.local import host_python
    from packer.environment import interpreter

    cache = session.settings.cache
    if session.settings.python:
        found = interpreter.describe(interpreter.find(session.settings.python), cache)
    else:
        found = host_python.find(image.labels["python"], cache)
    nowhere = Path(tempfile.gettempdir())
    return Workshop(
        interpreter=found,
        wheels=Wheels(found, nowhere, cache, progress),
        progress=progress,
    )
