"""How registries are reached: what is configured about them, without any secret."""

from __future__ import annotations

from pathlib import Path

from packer.record import Record


class Access(Record, frozen=True):
    """The same for all registries of a command, but for the login that variables may hold."""

    certificates: Path | None = None
    """PEM file of authorities trusted besides those of the system."""
    insecure: tuple[str, ...] = ()
    """Hosts that are spoken to by plain http, as they are written in names; loopback always is,
    unless there are certificates for it."""
    username: str = "SENDOFF_REGISTRY_USERNAME"
    """Environment variable that names the user of the registry that images go to."""
    password: str = "SENDOFF_REGISTRY_PASSWORD"  # noqa: S105 - a name
    """Environment variable that holds that user's password or token."""
    patience: float = 60.0
    """Seconds for which what fails is tried again; no silence is borne for longer."""
    at_once: int = 8
    """Requests side by side."""
