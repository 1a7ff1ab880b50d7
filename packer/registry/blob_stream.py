"""A blob that goes to a registry while it is made, in pieces that are kept until they arrived.

Nothing of it is on this machine's disk. Where the registry forgets what it had, the blob has to be
made once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from packer.digest import Digest
from packer.layers.shared_layers import StreamLost
from packer.registry.answer import Interrupted
from packer.registry.client import Client
from packer.registry.errors import RegistryError, RegistryRefused
from packer.registry.upload_session import UploadSession

PIECE = 16 << 20
"""Bytes sent with one request; as many are gathered meanwhile."""


class BlobStream:
    """Takes the bytes of one blob in order; it is there after `commit`, and not before.

    Every method raises, besides `StreamLost`, as `Client` does.
    """

    def __init__(self, client: Client, pool: ThreadPoolExecutor, piece: int = PIECE) -> None:
        """`pool` sends while more is written."""
        self._client, self._pool, self._piece = client, pool, piece
        self._session = UploadSession(client, "a layer")
        self._gathered: list[bytes] = []
        self._size = self._handed = 0
        self._sending: Future[None] | None = None
        self._broken = False
        self.committed = False
        """Whether the blob is there."""

    def write(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        self._gathered.append(bytes(data))
        self._size += len(data)
        if self._size - self._handed >= self._piece:
            self._hand()

    def commit(self, digest: Digest) -> None:
        """Give the blob its name. The caller has hashed what it wrote."""
        if self._gathered:
            self._hand()
        self._wait()
        self._client.patiently(digest.short, partial(self._end, digest))
        self.committed = True

    def abandon(self) -> None:
        """Take back what was sent."""
        with suppress(RegistryError, Interrupted, StreamLost):
            self._wait()
        self._session.cancel()

    def _hand(self) -> None:
        self._wait()
        pieces, self._gathered = self._gathered, []
        start, self._handed = self._handed, self._size
        self._sending = self._pool.submit(self._send, pieces, start, self._size)

    def _wait(self) -> None:
        sending, self._sending = self._sending, None
        if sending:
            sending.result()

    def _send(self, pieces: Sequence[bytes], start: int, end: int) -> None:
        try:
            self._client.patiently("a layer", partial(self._attempt, pieces, start, end))
        except RegistryRefused as refused:
            # It may take a blob as a whole, and will say so if it does not.
            raise StreamLost(str(refused)) from refused

    def _attempt(self, pieces: Sequence[bytes], start: int, end: int) -> None:
        """Send what the registry lacks of the bytes from `start` to `end`."""
        at = self._resume(start) if self._broken else start
        if at >= end:
            return
        try:
            if not self._session.location:
                self._piece = max(self._piece, self._session.begin())
            had = self._session.patch(lambda: _after(pieces, at - start), at, end)
        except Interrupted:
            self._broken = True
            raise
        if had != end:
            self._broken = True
            raise Interrupted(f"{had} of {end} bytes arrived")

    def _resume(self, start: int) -> int:
        """How much the registry has, of which we still have what follows."""
        received = self._session.received() or 0
        if received < start:
            raise StreamLost(f"the registry has {received} of {start} bytes")
        self._broken = False
        return received

    def _end(self, digest: Digest) -> None:
        if self._broken and self._session.is_there(digest):
            return
        if self._broken and self._resume(self._size) != self._size:
            raise StreamLost("the registry has other bytes")
        try:
            answer = self._session.put(digest, b"", self._size, self._size)
        except Interrupted:
            self._broken = True
            raise
        if answer and "DIGEST_INVALID" in answer.codes:
            raise StreamLost(answer.said)
        if answer:
            raise self._session.unexpected(answer)


def _after(pieces: Sequence[bytes], skipped: int) -> Iterator[bytes]:
    """The pieces without their first `skipped` bytes."""
    for piece in pieces:
        if skipped < len(piece):
            yield piece[skipped:] if skipped else piece
        skipped = max(0, skipped - len(piece))
