"""The store in a bucket: the same few calls as `DirectoryStore`, but for `append`.

A key appears whole or not at all. What S3 calls a conditional write is a single PUT with
`If-None-Match: *`; an upload in parts is never conditional.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from .s3_bucket import PARALLEL, AlreadyThere, Gone, PastTheEnd, S3Bucket
from .s3_stream import S3Stream
from .s3_upload import S3Upload
from .store import Exists, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from minio.credentials.providers import Provider

    from .address import S3Address
    from .store_faults import StoreFault

_BUFFER = 1 << 18


class S3Store:
    """Keys are names below the address's prefix. Any number of threads may use it at once.

    Raises:
        StoreFault: from every call, as `raised` makes it; an OSError in any case.
    """

    appends = False
    parallel = PARALLEL

    def __init__(
        self,
        address: S3Address,
        provider: Provider,
        raised: Callable[[StoreFault], Exception] = lambda fault: fault,
    ) -> None:
        self.root = address.url
        self._address = address
        self.bucket = S3Bucket(address, provider, raised)
        # Shared by all uploads, so that many large files take no more memory than one.
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="part")

    def give_up_at(self, moment: float | None) -> None:
        """Let every call try until this moment of the monotonic clock; None: for 20 s each.

        Where the store may be away for some time (`bear`), until this moment at most.
        """
        self.bucket.patience.until = moment

    def bear(self, span: float | None) -> None:
        """Let the store be away for so many seconds each time that it is; None: as before."""
        self.bucket.patience.bear(span)

    def put_new(self, key: str, data: bytes) -> None:
        """Store `data` unless the key exists.

        Raises:
            Exists: it does; nothing is changed.
        """
        try:
            self.bucket.put_new(self._address.name(key), data)
        except AlreadyThere as there:
            # Where an answer was lost, what is there may be what we wrote.
            if there.tries == 1 or self.get(key) != data:
                raise Exists(key) from None

    def put(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there."""
        self.bucket.put(self._address.name(key), data)

    def upload(self, key: str, size: int = 0, *, resumed: bool = False) -> S3Upload:
        """Store a value too large for memory; `size` is how large it will be, as far as known.

        `resumed`: parts that an earlier upload of this key has left are not sent again.
        """
        name = self._address.name(key)
        return S3Upload(self.bucket, name, self._pool, size, resumed=resumed)

    def get(self, key: str, start: int = 0) -> bytes:
        """The value from byte `start` on.

        Raises:
            Missing
        """
        try:
            with self._stream(key, start) as stream:
                return stream.readall()
        except PastTheEnd:
            return b""

    def open(self, key: str, start: int = 0) -> BinaryIO:
        """The value as a stream, which goes on where a connection was cut.

        Raises:
            Missing
        """
        try:
            return io.BufferedReader(self._stream(key, start), _BUFFER)
        except PastTheEnd:
            return io.BytesIO()

    def has(self, key: str) -> bool:
        """Whether the key exists."""
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """How many bytes the value has; None where there is no such key."""
        return self.bucket.size(self._address.name(key))

    def names(
        self, prefix: str, *, begin: str = "", after: str = "", most: int | None = None
    ) -> list[str]:
        """What follows `prefix`, up to the next "/", sorted. `prefix` ends in "/".

        Only what begins with `begin`, and comes after `after`; `most` of it at most.
        """
        start = self._address.name(prefix)
        wanted = self._address.name(prefix + begin)
        later = self._address.name(prefix + after) if after else ""
        found = self.bucket.names(wanted, recursive=False, after=later, most=most)
        return sorted(name[len(start) :].rstrip("/") for name in found)

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that start with `prefix`, which ends in "/"."""
        for name in self.bucket.names(self._address.name(prefix)):
            yield self._address.key(name)

    def _stream(self, key: str, start: int) -> S3Stream:
        try:
            return S3Stream(self.bucket, self._address.name(key), start)
        except Gone:
            raise Missing(key) from None
