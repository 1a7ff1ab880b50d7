"""Images on their way into the session's registry, and base images out of one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.request import Request
from packer.images.base import Base
from packer.packed import Packed
from packer.progress import Progress
from packer.registry.access import Access
from packer.registry.errors import DigestGone, RegistryAuth, RegistryUnreachable
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from sendoff.errors import BaseMissing
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.registry.shared_layers import RegistryLayers

PLATFORM = "linux/amd64"
"""What clusters and engines run."""


class Publishing:
    """The registry of a session. A connection is made while other things are still to be done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._registry = registry(session)
        self._registry.warm()
        self._base: Base | None = None

    def base(self) -> Base:
        """The base image of the session's settings.

        Raises:
            BaseMissing: none is set.
            SendoffError: what `packer.registry` raises; BaseUnusable.
        """
        if not self._session.settings.base:
            raise BaseMissing(self._session.settings.target)
        if self._base is None:
            self._base = self._registry.base(self._session.settings.base, PLATFORM)
        return self._base

    def layers(self) -> RegistryLayers:
        """Layers that are there already, and the way there for new ones.

        Raises:
            As `base`.
        """
        layers = [each.digest for each in self.base().layers]
        return self._registry.layers(self._session.places.layout, layers)

    def push(self, packed: Packed, progress: Progress) -> None:
        """Have the images of `packed` in the registry, and their names.

        Raises:
            SendoffError: what `packer.registry` raises.
        """
        from packer.registry.pull import for_push
        from packer.registry.push_request import PushRequest

        self._registry.push(
            PushRequest(
                layout=self._session.places.layout,
                images=packed.images,
                environment=packed.environment,
                base=for_push(self.base()),
                tags=packed.tags,
            ),
            progress,
        )


def require(request: Request, session: Session) -> None:
    """See to it that images that were pushed once are there still.

    Only where they are in the session's own registry: nodes may reach what this machine may not.

    Raises:
        DigestGone: that of the first input, which is what pods run, is not.
    """
    if session.embedded or request.repository != session.settings.registry:
        return
    with suppress(RegistryAuth, RegistryUnreachable):
        there, digest = registry(session), request.inputs[0].digest
        if there.has(digest) is None:
            raise DigestGone(str(there.repository), digest)


def registry(session: Session) -> Registry:
    """The repository that images go to.

    Raises:
        ReferenceInvalid
    """
    return _registry(session, session.settings.cache / "registry", Access().patience)


@contextmanager
def unknown(session: Session, patience: float) -> Iterator[Registry]:
    """The same with nothing known of it: what was there once is no sign that it still is.

    `patience` is in seconds.

    Raises:
        ReferenceInvalid
    """
    with tempfile.TemporaryDirectory() as nothing:
        yield _registry(session, Path(nothing), patience)


def _registry(session: Session, cache: Path, patience: float) -> Registry:
    settings = session.settings
    access = Access(
        certificates=settings.registry_ca,
        insecure=settings.registry_insecure,
        patience=patience,
    )
    return Registry(Repository.parse(settings.registry), access, cache)
