"""Reading an object, going on after a cut where it stopped."""

from __future__ import annotations

import io

import urllib3

from .s3_bucket import Gone, PastTheEnd
from .store_faults import StoreRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .s3_bucket import S3Bucket

_PIECE = 1 << 20


class S3Stream(io.RawIOBase):
    """The bytes of one object, from `start` on.

    Raises:
        Gone, PastTheEnd: when it is made.
        StoreFault: also while it is read.
    """

    def __init__(self, bucket: S3Bucket, name: str, start: int) -> None:
        super().__init__()
        self._bucket, self._name, self._position = bucket, name, start
        self._response = bucket.get(name, start)
        self._etag = self._response.headers.get("ETag", "")

    def readable(self) -> bool:
        """It is, and nothing else."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as bytes have come; 0 at the end."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """All that is left."""
        pieces = []
        while piece := self._read(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of the connection; what was not read of it is not waited for."""
        if not self.closed:
            self._response.close()
            self._response.release_conn()
        super().close()

    def _read(self, size: int) -> bytes:
        while True:
            try:
                data = self._response.read(size)
            except (urllib3.exceptions.HTTPError, OSError):
                self._response.close()
                if not self._go_on():
                    return b""
                continue
            self._bucket.patience.answered()
            self._position += len(data)
            return data

    def _go_on(self) -> bool:
        """Ask for the rest; False where there is none."""
        try:
            # The same object as before, or none: half of each would be neither.
            self._response = self._bucket.get(self._name, self._position, self._etag)
        except PastTheEnd:
            return False
        except Gone as error:
            doing = f"reading {self._name}"
            raise self._bucket.patience.fault(StoreRefused, doing, "it was replaced") from error
        return True
