"""Getting images from a layout into a repository, with as few bytes and questions as possible."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from packer.digest import Digest
from packer.errors import BlobMissing, LayoutDamaged
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.progress import Progress
from packer.record import Record
from packer.registry import push_plan
from packer.registry.client import BlobUnknown, Client, Manifest
from packer.registry.content import Content, FileContent, RemoteContent
from packer.registry.crew import Crew
from packer.registry.known import KnownBlobs
from packer.registry.push_plan import ImageParts, PushPlan
from packer.registry.reference import Repository
from packer.registry.upload import Upload, mount


class BaseLayer(Record, frozen=True):
    """A layer that comes from a base image and is in no layout of ours."""

    layer: Descriptor
    source: Repository


class PushRequest(Record, frozen=True):
    """What to push."""

    layout: Path
    images: tuple[Digest, ...]
    """Manifests of run images."""
    environment: Digest | None = None
    """Manifest of the environment image they share."""
    base: tuple[BaseLayer, ...] = ()
    """Layers of theirs that the layout need not hold."""
    tags: dict[str, Digest] = {}
    """Names for some of the images, put after all of them are there."""


class Pushed(Record, frozen=True):
    """What it took. Blobs are told by their digests."""

    repository: Repository
    images: tuple[Digest, ...]
    sent: int
    """Bytes of blobs and manifests that went to the registry."""
    uploaded: tuple[Digest, ...] = ()
    mounted: tuple[Digest, ...] = ()
    """Taken by the registry from another repository of its own."""
    present: tuple[Digest, ...] = ()
    """There already, or known to be."""
    manifests: tuple[Digest, ...] = ()
    """Manifests that were put."""
    seconds: float = 0.0


class Push:
    """One push. `sources` has a client for each repository that base layers come from."""

    def __init__(
        self,
        request: PushRequest,
        client: Client,
        sources: dict[Repository, Client],
        known: KnownBlobs,
        progress: Progress,
    ) -> None:
        self._request, self._client, self._sources = request, client, sources
        self._known, self._progress = known, progress
        self._layout = Layout(request.layout)
        self._base = {each.layer.digest: each for each in request.base}
        self._tally = _Tally(progress)

    def run(self, at_once: int) -> Pushed:
        """Do it, with so many requests side by side.

        Raises:
            As `Client`; and BlobMissing, BlobAltered, LayoutDamaged for what the layout lacks.
        """
        began = time.perf_counter()
        images = [self._parts(digest) for digest in dict.fromkeys(self._request.images)]
        environment = self._request.environment
        planned = push_plan.plan(
            images, self._parts(environment) if environment else None, self._believed()
        )
        patiences = [each.patience for each in (self._client, *self._sources.values())]
        crew = Crew(at_once, patiences)
        self._send(planned, crew)
        crew.each(self._tag, self._request.tags.items())
        return self._tally.result(self._request, self._client, time.perf_counter() - began)

    def _send(self, planned: PushPlan, crew: Crew) -> None:
        lookups = [image.manifest.digest for image in planned.lookups]
        found = crew.each(self._client.find_manifest, lookups)
        left = push_plan.after_lookups(planned, {each for each in found if each})
        total = sum(blob.size for blob in (*left.asked, *left.sent))
        self._progress.start(f"pushing to {self._client.repository}", total)
        self._tally.present(left.known)
        # The largest first, so that none is left to go alone.
        ordered = sorted((*left.asked, *left.sent), key=lambda blob: -blob.size)
        asked = {blob.digest for blob in left.asked}
        crew.each(lambda blob: self._blob(blob, ask=blob.digest in asked), ordered)
        crew.each(self._manifest, left.manifests)
        self._known.remember(self._confirmed(planned, left, lookups))
        self._progress.done(f"{self._tally.sent / 1e6:.1f} MB sent")

    def _believed(self) -> set[str]:
        """What is in the repository already, as far as we know."""
        here = self._client.repository
        read = {each.layer.digest for each in self._request.base if each.source == here}
        return self._known.recall() | read

    def _confirmed(
        self, planned: PushPlan, left: PushPlan, lookups: Collection[Digest]
    ) -> list[Digest]:
        """All that was sent, asked for, or is held by a manifest that was."""
        blobs = (blob.digest for blob in (*planned.asked, *planned.sent))
        manifests = (image.manifest.digest for image in left.manifests)
        return list(dict.fromkeys((*blobs, *manifests, *lookups)))

    def _parts(self, digest: Digest) -> ImageParts:
        try:
            return push_plan.parts(digest, self._layout.read(digest))
        except (ValueError, KeyError, TypeError) as error:
            raise LayoutDamaged(str(self._layout.path(digest)), str(error)) from error

    def _blob(self, blob: Descriptor, *, ask: bool) -> None:
        """Have one blob there, by the cheapest way that there is."""
        if ask and self._client.has_blob(blob.digest):
            self._tally.present((blob,), counted=True)
            return
        base = self._base.get(blob.digest)
        location = ""
        if base and base.source.host == self._client.repository.host:
            taken = mount(self._client, blob.digest, base.source)
            if taken is None:
                self._tally.mounted(blob)
                return
            location = taken
        content = self._content(blob)
        Upload(self._client, content, self._tally.moved, location=location).run()
        self._tally.uploaded(blob)

    def _content(self, blob: Descriptor) -> Content:
        digest = blob.digest
        base = self._base.get(digest)
        if self._layout.has(digest, blob.size):
            return FileContent(blob, self._layout.path(digest), self._layout.verify)
        if base:
            return RemoteContent(blob, self._sources[base.source])
        # A file of another size is a damaged one, and is named as such.
        self._layout.verify(digest)
        raise BlobMissing(digest, str(self._layout.root))

    def _manifest(self, image: ImageParts) -> None:
        manifest = self._read(image.manifest.digest)
        try:
            self._client.put_manifest(manifest.digest, manifest)
        except BlobUnknown:
            # What we believed is no longer so: ask for every blob.
            self._known.forget()
            for blob in image.blobs:
                self._blob(blob, ask=True)
            self._put_again(manifest)
        self._tally.put(manifest)

    def _put_again(self, manifest: Manifest) -> None:
        try:
            self._client.put_manifest(manifest.digest, manifest)
        except BlobUnknown as error:
            asked = f"store the manifest {manifest.digest.short}"
            raise self._client.refused(error.answer, asked) from error

    def _tag(self, tag: tuple[str, Digest]) -> None:
        name, digest = tag
        self._client.put_manifest(name, self._read(digest))

    def _read(self, digest: Digest) -> Manifest:
        data = self._layout.read(digest)
        return Manifest(digest, push_plan.parts(digest, data).manifest.media_type, data)


class _Tally:
    """Counts, from several threads."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self.sent = 0
        self._uploaded: list[Digest] = []
        self._mounted: list[Digest] = []
        self._present: list[Digest] = []
        self._manifests: list[Digest] = []

    def moved(self, amount: int) -> None:
        """So many more bytes went out."""
        with self._lock:
            self.sent += amount
            self._progress.advance(amount)

    def uploaded(self, blob: Descriptor) -> None:
        with self._lock:
            self._uploaded.append(blob.digest)

    def mounted(self, blob: Descriptor) -> None:
        with self._lock:
            self._mounted.append(blob.digest)
            self._progress.advance(blob.size)

    def present(self, blobs: Iterable[Descriptor], *, counted: bool = False) -> None:
        """`counted`: they are part of the progress's total."""
        with self._lock:
            for blob in blobs:
                self._present.append(blob.digest)
                if counted:
                    self._progress.advance(blob.size)

    def put(self, manifest: Manifest) -> None:
        with self._lock:
            self.sent += len(manifest.data)
            self._manifests.append(manifest.digest)

    def result(self, request: PushRequest, client: Client, seconds: float) -> Pushed:
        return Pushed(
            repository=client.repository,
            images=request.images,
            sent=self.sent,
            uploaded=tuple(self._uploaded),
            mounted=tuple(self._mounted),
            present=tuple(self._present),
            manifests=tuple(self._manifests),
            seconds=seconds,
        )
