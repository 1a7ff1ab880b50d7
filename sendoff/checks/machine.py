"""What this machine has to have: an interpreter to pack, and room for what is made."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sendoff.checks.check import Check, Checks, Finding
from sendoff.quantities import show_size
from sendoff.session import Session

_LITTLE, _TOO_LITTLE = 10 * 10**9, 10**9
"""Bytes: an environment with CUDA takes some 6 GB."""


def sandbox(session: Session) -> Iterator[Check]:
    """The interpreter whose environment is packed."""
    from packer.environment import interpreter

    checks = Checks("sandbox")
    with checks.one("python") as found:
        path = interpreter.find(session.settings.python or None)
        described = interpreter.describe(path, session.settings.cache)
        found.said = f"{described.version} at {path}"
        if not described.virtual:
            found.poor(
                f"{found.said}: not a virtual environment, so all that it has is packed",
                "python -m venv .venv && . .venv/bin/activate",
            )
    yield checks.last


def folders(session: Session) -> Iterator[Check]:
    """The directories that sendoff writes to."""
    settings = session.settings
    checks = Checks("disk")
    places = {"cache": str(settings.cache), "state": str(settings.state)}
    places |= {"registry": settings.registry, "store": settings.store}
    for name, place in places.items():
        if place.startswith("/"):
            with checks.one(name) as found:
                _folder(Path(place), f"export SENDOFF_{name.upper()}=DIR", found)
            yield checks.last
    if session.embedded:
        with checks.one("hard links") as found:
            _links(settings.cache, found)
        yield checks.last


def _folder(folder: Path, remedy: str, found: Finding) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".sendoff-doctor-"):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        found.problem(f"{folder} can't be written to: {error.strerror or error}", remedy)
        return
    found.said = f"{folder}, {show_size(free)} free"
    if free < _TOO_LITTLE:
        found.problem(f"{found.said}: too little", f"make room, or {remedy}")
    elif free < _LITTLE:
        found.poor(f"{found.said}: little for an environment with CUDA", f"make room, or {remedy}")


def _links(folder: Path, found: Finding) -> None:
    """Environments are put together by hard links."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".sendoff-doctor-") as trial:
        source = Path(trial, "source")
        source.touch()
        try:
            os.link(source, Path(trial, "link"))
        except OSError as error:
            found.problem(
                f"{folder} has none: {error.strerror or error}",
                "put the cache on another file system: export SENDOFF_CACHE=DIR",
            )
        else:
            found.said = "environments are put together by them"
