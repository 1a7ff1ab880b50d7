"""Packing again what an image was packed from, with what this machine has."""

from __future__ import annotations

import tempfile
from pathlib import Path

from packer.images.shelf import Shelf
from packer.progress import SILENT, Progress
from packer.reproduction.rebuild import Rebuilt, Workshop
from packer.reproduction.recorded import RecordedImage
from packer.reproduction.wheels import Wheels
from sendoff.session import Session


def rebuild(
    image: RecordedImage, session: Session, shelf: Shelf, progress: Progress = SILENT
) -> Rebuilt:
    """Pack the recorded project and lock again; nothing that was made before is believed.

    Raises:
        PythonNotHere: no interpreter of the image's minor is on this machine.
        SendoffError: as `packer.reproduction.rebuild.rebuild`.
    """
    from packer.reproduction.rebuild import rebuild

    return rebuild(image, shelf, workshop(image, session, progress))


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
