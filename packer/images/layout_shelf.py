"""A layout read as a registry is, with the lists of referrers that the embedded default keeps.

As in a registry without the API (distribution-spec, "Referrers Tag Schema"): what refers to an
image is an index under the tag `sha256-<hex>`, so that any tool that knows the scheme finds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packer import disk
from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, LayoutDamaged
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.registry import artifact as artifacts
from packer.registry.artifact import EMPTY, Artifact, Referrer

_PIECE = 1 << 20


class LayoutManifest(NamedTuple):
    """A manifest or index of a layout, verified."""

    digest: Digest
    data: bytes


class LayoutShelf:
    """A `packer.images.shelf.Shelf`. Methods raise BlobMissing, BlobAltered, LayoutDamaged."""

    def __init__(self, root: Path) -> None:
        self._layout = Layout(root)

    @property
    def place(self) -> str:
        """The layout's directory."""
        return str(self._layout.root)

    def manifest(self, target: str) -> LayoutManifest:
        """What a digest or a tag names.

        Raises:
            TagUnknown
        """
        digest = self._layout.resolve(target)
        return LayoutManifest(digest, self._layout.read(digest))

    def blob(self, blob: Descriptor) -> Iterator[bytes]:
        """The content of a blob in pieces, verified at their end."""
        hashed = hashlib.sha256()
        try:
            with self._layout.path(blob.digest).open("rb") as stream:
                while piece := stream.read(_PIECE):
                    hashed.update(piece)
                    yield piece
        except FileNotFoundError:
            raise BlobMissing(blob.digest, self.place) from None
        actual = Digest.from_hex(hashed.hexdigest())
        if actual != blob.digest:
            raise BlobAltered(blob.digest, actual, str(self._layout.path(blob.digest)))

    def tags(self) -> list[str]:
        """Every name there is."""
        return list(self._layout.tags())

    def attach_all(self, documents: Mapping[Digest, Sequence[Artifact]]) -> None:
        """Have documents refer to images that are here; those that do already stay as they are.

        The lists of all images are written at once.

        Raises:
            BlobMissing: an image is not here; nothing is attached.
            DiskFull
        """
        new = {
            subject: [self._write(each, subject) for each in some]
            for subject, some in documents.items()
        }
        # Writers read, extend and write: one at a time. The layout's own lock is taken inside.
        with disk.locked(self._layout.root / ".referrers.lock"):
            tags = self._layout.tags()
            lists = {}
            for subject, referrers in new.items():
                tag = artifacts.tag(subject)
                data = self._extended(tags.get(tag), referrers)
                if data:
                    self._layout.write(data)
                    lists[tag] = Descriptor(
                        digest=Digest.of(data), size=len(data), media_type=INDEX
                    )
            if lists:
                self._layout.tag_all(lists)

    def referrers(self, subject: Digest, kind: str = "") -> tuple[Referrer, ...]:
        """What refers to an image: all, or what has one artifact type."""
        listed = self._layout.tags().get(artifacts.tag(subject))
        if listed is None:
            return ()
        found = self._listed(listed)
        return tuple(each for each in found if kind in ("", each.kind))

    def document(self, referrer: Referrer) -> bytes:
        """The document of a referrer."""
        content = json.loads(self._layout.read(referrer.manifest.digest))
        return self._layout.read(Digest(content["layers"][0]["digest"]))

    def _write(self, document: Artifact, subject: Digest) -> Referrer:
        described = Descriptor(
            digest=subject, size=len(self._layout.read(subject)), media_type=MANIFEST
        )
        data = artifacts.manifest(document, described)
        for blob in (EMPTY, document.data, data):
            self._layout.write(blob)
        return artifacts.referrer(document, data)

    def _extended(self, listed: Digest | None, referrers: Sequence[Referrer]) -> bytes:
        """The list with these as well; empty where it has them."""
        index = json.loads(self._layout.read(listed)) if listed else None
        known = self._listed(listed) if listed else ()
        data = b""
        for each in referrers:
            if each not in known:
                data = artifacts.extended(index, each)
                index = json.loads(data)
        return data

    def _listed(self, listed: Digest) -> tuple[Referrer, ...]:
        try:
            return artifacts.listed(json.loads(self._layout.read(listed)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LayoutDamaged(str(self._layout.path(listed)), str(error)) from error
