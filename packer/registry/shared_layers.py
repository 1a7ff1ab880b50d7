"""Layers of a repository, found by what they were made from, and sent there as they are made.

An environment is the image tagged `env-<key>`. A layer is an artifact tagged `layer-<key>` (OCI
image-spec, manifest.md, "Guidelines for Artifact Usage"): its only layer is the layer, an
annotation holds the diffID. A tagged manifest keeps its blobs from being collected. Who may push
to the repository is believed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from packer.digest import Digest
from packer.errors import SendoffError
from packer.images.descriptor import MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.progress import Progress
from packer.registry import pull
from packer.registry.client import Client, Manifest
from packer.registry.content import FileContent
from packer.registry.errors import AnswerUnreadable, DigestGone
from packer.registry.known import KnownBlobs
from packer.registry.push_plan import LITTLE
from packer.registry.upload import Upload

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from packer.registry.blob_stream import BlobStream

ARTIFACT = "application/vnd.sendoff.layer.v1"
DIFF_ID = "io.sendoff.diff-id"
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"

_AT_ONCE = 3
"""Layers on their way while others are made."""


class RegistryLayers:
    """The layers of one repository. Leaving it by an error gives up what is on its way.

    Making one costs nothing: nothing is asked or loaded before something is looked for.
    """

    def __init__(
        self, connect: Callable[[], Client], cache: Path, layout: Path, base: Sequence[Digest]
    ) -> None:
        """`base`: the layers that environments' own lie upon."""
        self._connect, self._cache = connect, cache
        self._base, self._layout = tuple(base), Layout(layout)
        self._sending: list[Future[Descriptor]] = []
        self._use = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._sending:
            if kind:
                self._client.patience.end()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def there(self) -> Collection[str]:
        """Digests of blobs that were seen there within the last hour."""
        return self._believed

    def environment(self, key: Digest) -> tuple[Layer, ...] | None:
        """The layers of the environment `env-<key>`, above its base."""
        with suppress(DigestGone):
            manifest = self._client.manifest(f"env-{key.hex}")
            content = _object(manifest)
            named = content["config"]
            config = Descriptor(
                digest=Digest(named["digest"]), size=named["size"], media_type=named["mediaType"]
            )
            data = json.loads(b"".join(self._client.blob(config)))
            layers = pull.layers(content, data)
            below = len(self._base)
            if tuple(layer.digest for layer in layers[:below]) != self._base:
                return None
            self._believe([manifest.digest, config.digest, *(each.digest for each in layers)])
            return layers[below:]
        return None

    def layers(self, keys: Collection[Digest]) -> dict[Digest, Layer]:
        """Those of the artifacts `layer-<key>` that are there."""
        if not keys:
            return {}
        answers = self._pool.map(self._find, keys)
        found = {key: layer for key, layer in zip(keys, answers, strict=True) if layer}
        self._believe([layer.digest for layer in found.values()])
        return found

    @contextmanager
    def stream(self) -> Iterator[BlobStream]:
        """A blob that is sent while it is made. Without `commit` what was sent is taken back."""
        from packer.registry.blob_stream import BlobStream

        stream = BlobStream(self._client, self._pool)
        try:
            yield stream
        finally:
            if not stream.committed:
                stream.abandon()

    def made(self, key: Digest, layer: Layer, *, shared: bool) -> None:
        """Send a layer of the layout while others are made, unless it was sent. By any thread."""
        with self._use:
            self._sending.append(self._pool.submit(self._send, key, layer, shared=shared))

    def ahead(self, blob: Descriptor) -> None:
        """Send a blob of the layout while other things are done, unless it is known to be there."""
        if blob.digest not in self._believed:
            self._sending.append(self._pool.submit(self._have, blob))

    def settle(self, progress: Progress) -> None:
        """Return when all that was made is there.

        Raises:
            As `Client`; the first error ends all.
        """
        if not self._sending:
            return
        progress.start(f"pushing to {self._client.repository}")
        sent: list[Descriptor] = []
        try:
            sent += [each.result() for each in self._sending]
        except SendoffError:
            self._client.patience.end()
            raise
        finally:
            self._known.remember([blob.digest for blob in sent])
        progress.done(f"{sum(blob.size for blob in sent) / 1e6:.1f} MB sent")

    @cached_property
    def _client(self) -> Client:
        return self._connect()

    @cached_property
    def _known(self) -> KnownBlobs:
        return KnownBlobs(self._cache, self._client.repository)

    @cached_property
    def _believed(self) -> set[str]:
        return self._known.recall()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ahead")

    def _send(self, key: Digest, layer: Layer, *, shared: bool) -> Descriptor:
        blob = self._have(layer.descriptor)
        if shared:
            self._publish(key, layer)
        return blob

    def _have(self, blob: Descriptor) -> Descriptor:
        """See to it that a blob is there."""
        if blob.size <= LITTLE or not self._client.has_blob(blob.digest):
            self._upload(blob)
        return blob

    def _upload(self, blob: Descriptor) -> None:
        content = FileContent(blob, self._layout.path(blob.digest), self._layout.verify)
        Upload(self._client, content, lambda _: None).run()

    def _publish(self, key: Digest, layer: Layer) -> None:
        """Let others find the layer by what it was made from."""
        empty = Descriptor(digest=Digest.of(_EMPTY), size=len(_EMPTY), media_type=_EMPTY_TYPE)
        if not self._client.has_blob(empty.digest):
            self._layout.write(_EMPTY)
            self._upload(empty)
        data = artifact(layer, empty)
        self._client.put_manifest(f"layer-{key.hex}", Manifest(Digest.of(data), MANIFEST, data))

    def _find(self, key: Digest) -> Layer | None:
        try:
            content = _object(self._client.manifest(f"layer-{key.hex}"))
        except DigestGone:
            return None
        try:
            (blob,) = content["layers"]
            return Layer(
                digest=Digest(blob["digest"]),
                diff_id=Digest(content["annotations"][DIFF_ID]),
                size=int(blob["size"]),
                media_type=blob["mediaType"],
            )
        except (KeyError, TypeError, ValueError):
            # Not ours, whatever its name: the layer is made.
            return None

    def _believe(self, digests: Sequence[Digest]) -> None:
        self._known.remember([each for each in digests if each not in self._believed])
        self._believed |= set(digests)


def artifact(layer: Layer, empty: Descriptor) -> bytes:
    """The manifest of a layer's artifact; `empty` is what stands for its config."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT,
        "config": empty.as_oci(),
        "layers": [layer.descriptor.as_oci()],
        "annotations": {DIFF_ID: str(layer.diff_id)},
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _object(manifest: Manifest) -> dict[str, Any]:
    try:
        content = json.loads(manifest.data)
    except ValueError as error:
        raise AnswerUnreadable(manifest.digest, str(error)) from error
    return content if isinstance(content, dict) else {}
