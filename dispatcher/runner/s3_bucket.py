"""One bucket, through minio: each request with patience, and with the headers it is meant to have.

Only the modules named `s3_…` import minio and urllib3, and they are imported only where an S3
store is used. `_put_object` and the calls for uploads in parts are minio's own, underscored:
its public ones make metadata of a header such as `If-None-Match` (minio-py 7.2).
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice

from minio.api import Minio
from minio.datatypes import Part
from minio.error import S3Error

from .s3_credentials import FileProvider
from .s3_patience import Patience, new_pool
from .store_faults import StoreDenied, StoreFault, StoreRefused, UploadLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import urllib3
    from minio.credentials.providers import Provider
    from minio.helpers import DictType

    from .address import S3Address

PARALLEL = 6
"""Requests under way at once."""

_BAD, _DENIED, _GONE, _CHANGED, _PAST_THE_END = 400, 403, 404, 412, 416
_LOST = ("InvalidPart", "NoSuchUpload")


class AlreadyThere(Exception):
    """The object exists (412). `tries` says how often it was written: one may have got through."""

    def __init__(self, tries: int) -> None:
        super().__init__(tries)
        self.tries = tries


class Gone(Exception):
    """There is no such object, or no longer the one with this tag."""


class PastTheEnd(Exception):
    """The object has no such byte (416)."""


class S3Bucket:
    """Objects by name. Any number of threads may use it at once.

    Raises:
        StoreFault: from every call, as `raised` makes it.
    """

    def __init__(
        self,
        address: S3Address,
        provider: Provider,
        raised: Callable[[StoreFault], Exception] = lambda fault: fault,
    ) -> None:
        self.name = address.bucket
        self.patience = Patience(address.url, raised, renewed=isinstance(provider, FileProvider))
        # Without the region minio asks where the bucket is, which not everybody may.
        self._minio = Minio(
            endpoint=address.host,
            secure=address.secure,
            region=address.region,
            credentials=provider,
            http_client=new_pool(2 * PARALLEL),
        )

    def put(self, name: str, data: bytes) -> None:
        """Write an object, replacing what was there."""
        self.patience.call(
            f"writing {name}", lambda: self._minio._put_object(self.name, name, data)
        )

    def put_new(self, name: str, data: bytes) -> None:
        """Write an object that is not there yet (`If-None-Match: *`).

        Raises:
            AlreadyThere
        """
        tries = 0

        def request() -> None:
            nonlocal tries
            tries += 1
            self._minio._put_object(self.name, name, data, headers={"If-None-Match": "*"})

        try:
            self.patience.call(f"writing {name}", request, (_CHANGED,))
        except S3Error:
            raise AlreadyThere(tries) from None

    def get(self, name: str, start: int = 0, etag: str = "") -> urllib3.BaseHTTPResponse:
        """An object from byte `start` on, to be read; only that of the `etag`, where one is given.

        Raises:
            Gone, PastTheEnd
        """
        doing = f"reading {name}"
        headers: DictType | None = {"If-Match": etag} if etag else None
        try:
            return self.patience.call(
                doing,
                lambda: self._minio.get_object(
                    bucket_name=self.name, object_name=name, offset=start, request_headers=headers
                ),
                (_DENIED, _GONE, _CHANGED, _PAST_THE_END),
            )
        except S3Error as error:
            if error.response.status == _PAST_THE_END:
                raise PastTheEnd(name) from None
            self._must_be_gone(name, doing, error)
            raise Gone(name) from None

    def size(self, name: str) -> int | None:
        """How many bytes an object has; None where there is none."""
        doing = f"looking for {name}"
        try:
            found = self.patience.call(
                doing,
                lambda: self._minio.stat_object(bucket_name=self.name, object_name=name),
                (_DENIED, _GONE),
            )
        except S3Error as error:
            self._must_be_gone(name, doing, error)
            return None
        return found.size or 0

    def names(
        self, prefix: str, *, recursive: bool = True, after: str = "", most: int | None = None
    ) -> list[str]:
        """The names with this prefix; up to the next "/" only, unless `recursive`.

        They are those after the name `after`, `most` of them at most; no more pages than that
        takes are asked for.
        """

        def request() -> list[str]:
            found = self._minio.list_objects(
                bucket_name=self.name,
                prefix=prefix,
                recursive=recursive,
                start_after=after or None,
            )
            return [each.object_name or "" for each in islice(found, most)]

        return self.patience.call(f"listing {prefix}", request)

    def begin(self, name: str) -> str:
        """Begin an upload in parts; its id."""
        return self.patience.call(
            f"writing {name}",
            lambda: self._minio._create_multipart_upload(self.name, name, {}),
        )

    def unfinished(self, name: str) -> tuple[str, dict[int, str]]:
        """The latest upload in parts that was begun: its id, and its parts' tags by number.

        Empty where there is none, and where these credentials may not see it.
        """
        doing, tags = f"looking for parts of {name}", {}
        after: str | None = ""
        try:
            found = self.patience.call(
                doing,
                lambda: self._minio._list_multipart_uploads(self.name, prefix=name),
                (_DENIED,),
            )
            begun = [upload for upload in found.uploads if upload.object_name == name]
            upload = begun[-1].upload_id or "" if begun else ""
            while upload and after is not None:
                page = partial(
                    self._minio._list_parts, self.name, name, upload, part_number_marker=after
                )
                parts = self.patience.call(doing, page, (_DENIED, _GONE))
                tags.update({part.part_number: part.etag for part in parts.parts})
                after = parts.next_part_number_marker if parts.is_truncated else None
        except S3Error:
            return "", {}
        return upload, tags

    def put_part(self, name: str, upload: str, number: int, data: bytes) -> str:
        """Write a part, counted from 1; its tag.

        Raises:
            UploadLost
        """
        doing = f"writing part {number} of {name}"
        try:
            return self.patience.call(
                doing,
                lambda: self._minio._upload_part(self.name, name, data, None, upload, number),
                (_GONE,),
            )
        except S3Error as error:
            raise self._refused(doing, error) from error

    def complete(self, name: str, upload: str, tags: Sequence[str], size: int) -> None:
        """Make one object of `size` bytes of the parts.

        Raises:
            UploadLost
        """
        parts = [Part(number, tag) for number, tag in enumerate(tags, 1)]
        doing = f"writing {name}"
        try:
            self.patience.call(
                doing,
                lambda: self._minio._complete_multipart_upload(self.name, name, upload, parts),
                (_BAD, _GONE),
            )
        except S3Error as error:
            # Where an answer was lost, the upload is over and the object there.
            if self.size(name) != size:
                raise self._refused(doing, error) from error

    def abort(self, name: str, upload: str) -> None:
        """Throw the parts away."""
        with suppress(S3Error):
            self.patience.call(
                f"giving up {name}",
                lambda: self._minio._abort_multipart_upload(self.name, name, upload),
                (_GONE,),
            )

    def _refused(self, doing: str, error: S3Error) -> Exception:
        kind = UploadLost if error.code in _LOST else StoreRefused
        return self.patience.fault(kind, doing, f"{error.code}: {error.message}")

    def _must_be_gone(self, name: str, doing: str, error: S3Error) -> None:
        """See to it that "denied" means that there is no such object.

        So S3 answers to those who may list a part of the bucket only (API reference, HeadObject).
        """
        if error.response.status == _DENIED and name in self.names(name):
            raise self.patience.fault(StoreDenied, doing, f"{error.code}: {error.message}")
