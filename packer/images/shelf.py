"""Where images and what refers to them can be read and attached: a registry, or a layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from packer.digest import Digest

if TYPE_CHECKING:
    from packer.images.descriptor import Descriptor
    from packer.registry.artifact import Artifact, Referrer


class Found(Protocol):
    """A manifest or index, verified."""

    @property
    def digest(self) -> Digest:
        """Of its bytes."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


class Shelf(Protocol):
    """One place of images. What its methods raise: `packer.registry.errors`, `packer.errors`."""

    @property
    def place(self) -> str:
        """For people: the repository, or the directory."""

    def manifest(self, target: str) -> Found:
        """What a digest or a tag names.

        Raises:
            DigestGone or BlobMissing, TagUnknown: nothing here.
        """

    def blob(self, blob: Descriptor) -> Iterable[bytes]:
        """The content of a blob in pieces, verified at their end."""

    def tags(self) -> list[str]:
        """Every name there is."""

    def attach_all(self, documents: Mapping[Digest, Sequence[Artifact]]) -> None:
        """Have documents refer to images that are here; those that do already stay as they are."""

    def referrers(self, subject: Digest, kind: str = "") -> tuple[Referrer, ...]:
        """What refers to an image: all, or what has one artifact type."""

    def document(self, referrer: Referrer) -> bytes:
        """The document of a referrer."""
