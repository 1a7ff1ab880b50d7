"""Images on their way into the session's registry, and base images out of one."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from dispatcher.request import Request
from packer.images.base import Base
from packer.packed import Packed
from packer.progress import Progress
from packer.registry.errors import DigestGone, RegistryAuth, RegistryUnreachable
from sendoff import registries
from sendoff.bases import choice as base_choice
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.registry.shared_layers import RegistryLayers

_STEPS, _WITHOUT = "the image of [tool.sendoff.image]", "or take apt and run out of it"


class Publishing:
    """The registry of a session. A connection is made while other things are still to be done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._registry = registries.own(session)
        self._base: Base | None = None
        self._is_extended = False
        self._looking: Future[Base] | None = None

    def likely_base(self) -> Base:
        """The base image as it was last, while what it is now is being found out.

        Where there are steps to be done to it, nothing is guessed: as `known_base`.

        Raises:
            As `base`.
        """
        if self._session.settings.image.extends:
            return self.known_base()
        named = base_choice.wanted(self._session)
        known = base_choice.remembered(self._session, named, self._registry, registries.PLATFORM)
        if known is None:
            self._registry.warm()
            return self.base()
        looking: Future[Base] = Future()
        self._looking = looking

        def look() -> None:
            try:
                looking.set_result(self._find())
            except BaseException as error:  # noqa: BLE001 - raised again for who asks
                looking.set_exception(error)
            else:
                from packer.registry import push  # noqa: F401 - loaded for later

        threading.Thread(target=look, name="base", daemon=True).start()
        return known

    def base(self) -> Base:
        """The base image of the session's settings, or that which its GPUs imply.

        Raises:
            BaseMissing, BasesUnset, BaseNotPublished, BaseWithoutPython
            SendoffError: what `packer.registry` raises; BaseUnusable.
        """
        if self._base is None:
            self._base = self._looking.result() if self._looking else self._find()
        return self._base

    def known_base(self) -> Base:
        """The base image, with the steps of the session's settings done if they ever were.

        It is the base from then on.

        Raises:
            SendoffError: as `base`.
        """
        steps = self._session.settings.image
        if steps.extends and not self._is_extended:
            from packer.building import extension

            if made := extension.found(self.base(), steps, self._registry):
                self._base, self._is_extended = made, True
        return self.base()

    def extended(self, progress: Progress) -> Base:
        """The base image with the steps of the session's settings done, which are none often.

        It is the base from then on.

        Raises:
            BuilderNeeded: nothing may be run, or there is nothing to run it with.
            SendoffError: as `base`; what `packer.building.extension` raises.
        """
        if self._session.settings.image.extends and not self._is_extended:
            self._base, self._is_extended = self._extended(progress), True
        return self.base()

    def check_builder(self) -> None:
        """See to it that somebody may do the steps of the session's settings that are not done.

        Raises:
            BuilderInvalid
            BuilderNeeded: nothing may be run.
        """
        from packer.building import choice
        from packer.building.errors import BuilderNeeded

        settings = self._session.settings
        to_do = settings.image.extends and not self._is_extended
        if to_do and not choice.parse(settings.builder).runs:
            raise BuilderNeeded(_STEPS, "the setting builder is native", _WITHOUT)

    def _extended(self, progress: Progress) -> Base:
        from packer.building import choice, extension
        from packer.building.errors import BuilderNeeded
        from packer.buildkit.builder import Builder
        from packer.buildkit.errors import BuilderUnreachable

        self.check_builder()
        settings = self._session.settings
        chosen = choice.parse(settings.builder)
        builder = Builder.at(chosen.address, settings.cache)
        try:
            return extension.extended(
                self.base(), settings.image, builder, self._registry, progress
            )
        except BuilderUnreachable as error:
            if chosen.address:
                raise
            raise BuilderNeeded(_STEPS, str(error), _WITHOUT) from error

    def layers(self, base: Base) -> RegistryLayers:
        """Layers upon `base` that are there already, and the way there for new ones."""
        layers = [each.digest for each in base.layers]
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

    def _find(self) -> Base:
        named = base_choice.wanted(self._session)
        return base_choice.find(self._session, named, self._registry, registries.PLATFORM)


def require(request: Request, session: Session) -> None:
    """See to it that images that were pushed once are there still.

    Only where they are in the session's own registry: nodes may reach what this machine may not.

    Raises:
        DigestGone: that of the first input, which is what pods run, is not.
    """
    if session.embedded or request.repository != session.settings.registry:
        return
    with suppress(RegistryAuth, RegistryUnreachable):
        there, digest = registries.own(session), request.inputs[0].digest
        if there.has(digest) is None:
            raise DigestGone(str(there.repository), digest)
