"""Images as they are named, and where a session's are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packer.errors import SendoffError
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.images.shelf import Shelf
    from packer.packed import Packed

_MARK = "sha256:"
_READING = 10.0
"""Seconds for which a registry that does not answer is asked again by who only reads."""
_PATIENCE = 5.0
"""Seconds for which a registry is asked to keep what is not needed to run."""


def means_image(name: str) -> bool:
    """Whether a name means an image, and no run: `sha256:…`, or `REPOSITORY@sha256:…`."""
    return name.startswith(_MARK) or f"@{_MARK}" in name


def opened(name: str, project: Path, flags: Mapping[str, Any] | None = None) -> tuple[Session, str]:
    """The session in which `name` is to be looked for, and the name without its repository.

    Raises:
        InvalidConfigurationFile, UnknownSetting, InvalidSetting
    """
    given = dict(flags or {})
    if means_image(name) and "@" in name:
        given["registry"], _, name = name.partition("@")
    return Session.open(project, given), name


def shelf(session: Session, patience: float = 0) -> Shelf:
    """Where the session's images are; `patience` in seconds, 0 for the usual one.

    Raises:
        ReferenceInvalid
    """
    if session.embedded:
        from packer.images.layout_shelf import LayoutShelf

        return LayoutShelf(Path(session.settings.registry))
    from sendoff import registries

    return registries.own(session, patience)


def reading(session: Session) -> Shelf:
    """The same for who only reads, and whom a registry that is away keeps waiting less long.

    Raises:
        ReferenceInvalid
    """
    return shelf(session, _READING)


def keep_lock(packed: Packed, session: Session, marks: Path) -> None:
    """Have the lock of what was packed refer to its environment image.

    Without it the image runs all the same, and only packing it again is not possible.
    """
    from packer.reproduction import locks

    with suppress(SendoffError, OSError):
        locks.attach(packed, shelf(session, _PATIENCE), marks)
