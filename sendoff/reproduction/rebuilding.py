"""Packing again what an image was packed from, with what this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from dispatcher.referral import Referral
from dispatcher.run import Run
from packer.digest import Digest
from packer.images.image import NO_BASE
from packer.images.shelf import Shelf
from packer.progress import SILENT, Progress
from packer.reproduction.environments import Workshop
from packer.reproduction.rebuild import Rebuilt
from packer.reproduction.recorded import RecordedImage
from packer.reproduction.wheels import Wheels
from sendoff.reproduction import original
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
    groups: dict[tuple[str, ...], list[RecordedImage]] = {}
    for image in images:
        named = (image.labels["environment"], image.labels["lock"], image.base)
        groups.setdefault(named, []).append(image)
    # Those of one environment share what is made of it, here and now.
    for alike in groups.values():
        shop = workshop(alike[0], session, _base(alike[0], session, shelf), progress)
        made = rebuild(alike, shelf, shop)
        found |= {image.digest: each for image, each in zip(alike, made, strict=True)}
    return tuple(found[image.digest] for image in images)


def workshop(
    image: RecordedImage, session: Session, base: str = "", progress: Progress = SILENT
) -> Workshop:
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
        cache=cache,
        builder=session.settings.builder,
        base=base,
        progress=progress,
    )


def _base(image: RecordedImage, session: Session, shelf: Shelf) -> str:
    """The name of the image's base, where the settings or a run of the image know one."""
    if image.base == NO_BASE:
        return ""
    told = original.each_referral(image.digest, shelf)
    return base_name(image, session, [each.run for each in told if isinstance(each, Referral)])


def base_name(image: RecordedImage, session: Session, runs: Sequence[Run]) -> str:
    """The name of the image's base, where the settings or one of its runs know one."""
    names = (session.settings.base, *(str(run.provenance.get("base", "")) for run in runs))
    return next((each for each in names if each.endswith(f"@{image.base}")), "")
