"""The registries of a session: where its images go, and where its bases are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from sendoff.session import Session

PLATFORM = "linux/amd64"
"""What clusters and engines run."""


def own(session: Session, patience: float = 0) -> Registry:
    """The repository that images go to; `patience` in seconds, 0 for the usual one.

    Raises:
        ReferenceInvalid
    """
    cache = session.settings.cache / "registry"
    return _registry(session, cache, patience or Access().patience)


@contextmanager
def unknown(session: Session, patience: float) -> Iterator[Registry]:
    """The same with nothing known of it: what was there once is no sign that it still is.

    `patience` is in seconds.

    Raises:
        ReferenceInvalid
    """
    with tempfile.TemporaryDirectory() as nothing:
        yield _registry(session, Path(nothing), patience)


def bases_repository(session: Session, name: str) -> Registry:
    """The repository of one base, below the prefix that the setting `bases` names.

    Raises:
        ReferenceInvalid
    """
    settings = session.settings
    repository = Repository.parse(f"{settings.bases}/{name}")
    access = _access(session, Access().patience)
    own = not session.embedded and Repository.parse(settings.registry).host == repository.host
    if not own and not session.embedded:
        # The variables hold the login of the registry that images go to, and of no other.
        access = replace(access, username="", password="")
    return Registry(repository, access, settings.cache / "registry")


def _registry(session: Session, cache: Path, patience: float) -> Registry:
    access = _access(session, patience)
    return Registry(Repository.parse(session.settings.registry), access, cache)


def _access(session: Session, patience: float) -> Access:
    settings = session.settings
    return Access(
        certificates=settings.registry_ca,
        insecure=settings.registry_insecure,
        patience=patience,
    )
