"""Getting images from a layout into a repository, with as few bytes and questions as possible."""

from __future__ import annotations

import time
from collections.abc import Sequence

from packer.digest import Digest
from packer.errors import BlobMissing, LayoutDamaged
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.progress import Progress
from packer.registry import push_plan
from packer.registry.client import BlobUnknown, Client, Manifest
from packer.registry.content import Content, FileContent, RemoteContent
from packer.registry.crew import Crew
from packer.registry.known import KnownBlobs
from packer.registry.push_plan import ImageParts, PushPlan
from packer.registry.push_request import Pushed, PushRequest
from packer.registry.reference import Repository
from packer.registry.tally import Tally, mark
from packer.registry.upload import Upload, mount


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
        self._tally = Tally(progress)

    def run(self, at_once: int) -> Pushed:
        """Do it, with so many requests side by side.

        Raises:
            As `Client`; and BlobMissing, BlobAltered, LayoutDamaged for what the layout lacks.
        """
        began = time.perf_counter()
        images = [self._parts(digest) for digest in dict.fromkeys(self._request.images)]
        environment = self._request.environment
        believed = self._believed()
        planned = push_plan.plan(
            images, self._parts(environment) if environment else None, believed
        )
        patiences = [each.patience for each in (self._client, *self._sources.values())]
        try:
            self._send(planned, believed, Crew(at_once, patiences))
        finally:
            self._known.remember(self._tally.confirmed())
        return self._tally.result(
            self._request, self._client.repository, time.perf_counter() - began
        )

    def _send(self, planned: PushPlan, believed: set[str], crew: Crew) -> None:
        lookups = [image.manifest.digest for image in planned.lookups]
        found = {each for each in crew.each(self._client.find_manifest, lookups) if each}
        left = push_plan.after_lookups(planned, found)
        total = sum(blob.size for blob in (*left.asked, *left.sent))
        self._progress.start(f"pushing to {self._client.repository}", total)
        self._tally.present(left.known)
        self._tally.confirm([*found, *(blob.digest for blob in left.known)], believed)
        # The largest first, so that none is left to go alone.
        ordered = sorted((*left.asked, *left.sent), key=lambda blob: -blob.size)
        asked = {blob.digest for blob in left.asked}
        crew.each(lambda blob: self._blob(blob, ask=blob.digest in asked), ordered)
        crew.each(lambda each: self._manifest(*each), self._puts(left.manifests, believed))
        self._progress.done(f"{self._tally.sent / 1e6:.1f} MB sent")

    def _puts(
        self, manifests: Sequence[ImageParts], believed: set[str]
    ) -> list[tuple[str, ImageParts]]:
        """Under which names to put which manifests: one that has a tag has its digest as well
        (distribution-spec, "Pushing Manifests").
        """
        tags = [
            (name, self._parts(digest))
            for name, digest in self._request.tags.items()
            if mark(name, digest) not in believed
        ]
        tagged = {image.manifest.digest for _, image in tags}
        bare = [one for one in manifests if one.manifest.digest not in tagged]
        return [*((one.manifest.digest, one) for one in bare), *tags]

    def _believed(self) -> set[str]:
        """What is in the repository already, as far as we know."""
        here = self._client.repository
        read = {each.layer.digest for each in self._request.base if each.source == here}
        return self._known.recall() | read

    def _parts(self, digest: Digest) -> ImageParts:
        try:
            return push_plan.parts(digest, self._layout.read(digest))
        except (ValueError, KeyError, TypeError) as error:
            raise LayoutDamaged(str(self._layout.path(digest)), str(error)) from error

    def _blob(self, blob: Descriptor, *, ask: bool) -> None:
        """Have one blob there, by the cheapest way that there is."""
        if ask and self._client.has_blob(blob.digest):
            self._tally.seen(blob)
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

    def _manifest(self, target: str, image: ImageParts) -> None:
        """Put an image's manifest, under its digest or a tag."""
        manifest = self._read(image.manifest.digest)
        try:
            self._client.put_manifest(target, manifest)
        except BlobUnknown:
            # What we believed is no longer so: ask for every blob.
            self._known.forget()
            for blob in image.blobs:
                self._blob(blob, ask=True)
            self._put_again(target, manifest)
        self._tally.put(target, manifest)

    def _put_again(self, target: str, manifest: Manifest) -> None:
        try:
            self._client.put_manifest(target, manifest)
        except BlobUnknown as error:
            raise self._client.refused(error.answer, f"store the manifest {target}") from error

    def _read(self, digest: Digest) -> Manifest:
        data = self._layout.read(digest)
        return Manifest(digest, push_plan.parts(digest, data).manifest.media_type, data)
