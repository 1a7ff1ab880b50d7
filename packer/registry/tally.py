"""What a push did so far, counted from several threads."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from packer.digest import Digest
from packer.images.descriptor import Descriptor
from packer.progress import Progress
from packer.registry.client import Manifest
from packer.registry.push_request import Pushed, PushRequest
from packer.registry.reference import Repository


def mark(tag: str, digest: Digest) -> Digest:
    """What stands for a tag among known blobs."""
    return Digest.of(f"{tag} {digest}".encode())


class Tally:
    """Counts, from several threads."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self.sent = 0
        self._uploaded: list[Digest] = []
        self._mounted: list[Digest] = []
        self._present: list[Digest] = []
        self._manifests: list[Digest] = []
        self._confirmed: list[Digest] = []

    def moved(self, amount: int) -> None:
        """So many more bytes went out."""
        with self._lock:
            self.sent += amount
            self._progress.advance(amount)

    def uploaded(self, blob: Descriptor) -> None:
        with self._lock:
            self._uploaded.append(blob.digest)
            self._confirmed.append(blob.digest)

    def mounted(self, blob: Descriptor) -> None:
        with self._lock:
            self._mounted.append(blob.digest)
            self._confirmed.append(blob.digest)
            self._progress.advance(blob.size)

    def seen(self, blob: Descriptor) -> None:
        """The registry was asked, and has it."""
        with self._lock:
            self._present.append(blob.digest)
            self._confirmed.append(blob.digest)
            self._progress.advance(blob.size)

    def present(self, blobs: Iterable[Descriptor]) -> None:
        """Nobody had to ask."""
        self._present += [blob.digest for blob in blobs]

    def put(self, target: str, manifest: Manifest) -> None:
        with self._lock:
            self.sent += len(manifest.data)
            self._confirmed.append(manifest.digest)
            if target != manifest.digest:
                self._confirmed.append(mark(target, manifest.digest))
            if manifest.digest not in self._manifests:
                self._manifests.append(manifest.digest)

    def confirm(self, digests: Iterable[Digest], believed: Collection[str]) -> None:
        """A manifest that was found vouches for what it names."""
        self._confirmed += [digest for digest in digests if digest not in believed]

    def confirmed(self) -> list[Digest]:
        """What is there for sure, and was not known to be before."""
        with self._lock:
            return list(dict.fromkeys(self._confirmed))

    def result(self, request: PushRequest, repository: Repository, seconds: float) -> Pushed:
        return Pushed(
            repository=repository,
            images=request.images,
            sent=self.sent,
            uploaded=tuple(self._uploaded),
            mounted=tuple(self._mounted),
            present=tuple(self._present),
            manifests=tuple(self._manifests),
            seconds=seconds,
        )
