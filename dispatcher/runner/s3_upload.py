"""Writing an object larger than memory: in parts, several at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from .s3_bucket import S3Bucket

_PIECE = 8 << 20
# S3 allows 10,000 parts.
_MOST_PARTS = 9_000
_UNDER_WAY = 4


class S3Upload:
    """A value written piece by piece; it is there after `commit`, and not before.

    What is written is best cut into pieces of `piece` bytes. What is smaller than one as a whole
    is a single PUT.
    """

    def __init__(
        self,
        bucket: S3Bucket,
        name: str,
        pool: ThreadPoolExecutor,
        size: int,
        *,
        resumed: bool = False,
    ) -> None:
        """`resumed`: parts that an earlier upload of this name has sent are not sent again."""
        self._bucket, self._name, self._pool = bucket, name, pool
        self.piece = max(_PIECE, -(-size // _MOST_PARTS))
        self._rest = bytearray()
        self._upload = ""
        self._size = 0
        self._parts: deque[Future[str]] = deque()
        self._tags: list[str] = []
        self._known: dict[int, str] = {}
        if resumed and size > self.piece:
            self._upload, self._known = bucket.unfinished(name)

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            StoreFault: of a part before.
        """
        self._size += len(data)
        if not self._rest and len(data) == self.piece:
            self._send(data)
            return
        self._rest += data
        while len(self._rest) >= self.piece:
            part = bytes(self._rest[: self.piece])
            del self._rest[: self.piece]
            self._send(part)

    def commit(self) -> None:
        """Give the value its key, replacing what was there.

        Raises:
            StoreFault: it has no key.
        """
        rest, self._rest = bytes(self._rest), bytearray()
        if not self._upload:
            self._bucket.put(self._name, rest)
            return
        if rest:
            self._send(rest)
        while self._parts:
            self._settle()
        self._bucket.complete(self._name, self._upload, self._tags, self._size)
        self._upload = ""

    def leave(self) -> None:
        """Let what was sent be, for an upload that resumes this one."""
        for part in self._parts:
            part.cancel()
        while self._parts:
            part = self._parts.popleft()
            if not part.cancelled():
                part.exception()

    def abandon(self) -> None:
        """Leave nothing behind, as far as the store can be reached."""
        self.leave()
        upload, self._upload, self._rest = self._upload, "", bytearray()
        if upload:
            # What can't be thrown away now, the server's own rule for unfinished uploads will.
            with suppress(Exception):
                self._bucket.abort(self._name, upload)

    def _send(self, data: bytes) -> None:
        if not self._upload:
            self._upload = self._bucket.begin(self._name)
        while len(self._parts) >= _UNDER_WAY:
            self._settle()
        number = len(self._tags) + len(self._parts) + 1
        self._parts.append(self._pool.submit(self._put_part, number, data))

    def _put_part(self, number: int, data: bytes) -> str:
        # The tag of a part is the MD5 of its bytes; where a store has others, nothing is known.
        known = self._known.get(number)
        if known and known == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return known
        return self._bucket.put_part(self._name, self._upload, number, data)

    def _settle(self) -> None:
        """Wait for the part that was sent first."""
        self._tags.append(self._parts.popleft().result())
