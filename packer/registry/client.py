"""The verbs of the distribution-spec for one repository; uploads are in `upload`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from packer.digest import Digest
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.registry import server
from packer.registry.access import Access
from packer.registry.answer import Answer, Interrupted, refusal
from packer.registry.authorization import Scope
from packer.registry.errors import (
    AnswerAltered,
    DigestGone,
    PullInterrupted,
    PushInterrupted,
    RegistryError,
    RegistryUnreachable,
)
from packer.registry.reference import Repository
from packer.registry.retries import Patience
from packer.registry.transport import read_some

if TYPE_CHECKING:
    import urllib3

T = TypeVar("T")

OK, CREATED, ACCEPTED, NO_CONTENT, PARTIAL, NOT_FOUND = 200, 201, 202, 204, 206, 404

_DOCKER = "application/vnd.docker.distribution.manifest"
ACCEPT = ", ".join((MANIFEST, INDEX, f"{_DOCKER}.v2+json", f"{_DOCKER}.list.v2+json"))
_PIECE = 1 << 18
_BLOB_UNKNOWN = {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}


class Manifest(NamedTuple):
    """A manifest or index as the registry has it, verified."""

    digest: Digest
    media_type: str
    data: bytes


class BlobUnknown(Exception):
    """A manifest names a blob that the registry does not have."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.said)
        self.answer = answer


class Client:
    """Reads and writes one repository, with what fails tried again for a while.

    Every method raises, besides what it says itself:
        RegistryAuth, RegistryUnreachable, RegistryUntrusted, RedirectRefused, LoginUnreadable,
        RegistryRefused, RegistryReadOnly, AnswerUnreadable
        PushInterrupted or PullInterrupted: it failed for longer than the patience lasts.
    """

    def __init__(
        self, repository: Repository, access: Access, *, own: bool = True, writes: bool = False
    ) -> None:
        """`own`: variables may hold the login for this host; `writes`: ask for the right to."""
        self.repository = repository
        self.server = server.of(repository, access, own=own)
        self.patience = Patience(access.patience)
        self.scope: Scope = (f"repository:{repository.path}:{'pull,push' if writes else 'pull'}",)
        self._writes = writes
        self._root = f"/v2/{repository.path}"

    def at(self, path: str, **query: str) -> str:
        """The address of something in the repository, below the server's own."""
        return f"{self._root}/{path}" + (f"?{urlencode(query)}" if query else "")

    def patiently(self, what: str, attempt: Callable[[], T], patience: Patience | None = None) -> T:
        """The result of `attempt`, which is made again while it is interrupted."""
        patience = patience or self.patience
        try:
            return patience(attempt)
        except Interrupted as error:
            if not error.connected:
                raise RegistryUnreachable(self.server.name, self.server.base, error.said) from error
            kind = PushInterrupted if self._writes else PullInterrupted
            raise kind(str(self.repository), what, error.said, patience.seconds) from error

    def refused(self, answer: Answer, asked: str) -> RegistryError:
        """The error for an answer that means no."""
        return refusal(answer, str(self.repository), asked)

    def find_manifest(self, target: str) -> Digest | None:
        """The digest of the manifest that a tag or a digest names; None where there is none."""
        answer = self._ask("HEAD", f"manifests/{target}", {"Accept": ACCEPT})
        if answer.status == NOT_FOUND:
            return None
        if answer.status != OK:
            raise self.refused(answer, f"look for {target}")
        named = answer.headers.get("Docker-Content-Digest", "")
        try:
            return Digest(named or target)
        except ValueError:
            return self.manifest(target).digest

    def manifest(self, target: str) -> Manifest:
        """The manifest, or index, that a tag or a digest names.

        Raises:
            DigestGone, AnswerAltered
        """
        answer = self.ask_manifest(target)
        if answer.status == NOT_FOUND:
            raise DigestGone(str(self.repository), target, answer.said)
        if answer.status != OK:
            raise self.refused(answer, f"read {target}")
        actual = Digest.of(answer.data)
        if target.startswith("sha256:") and target != actual:
            raise AnswerAltered(target, actual, str(self.repository))
        media_type = answer.headers.get("Content-Type", MANIFEST).partition(";")[0]
        return Manifest(actual, media_type, answer.data)

    def ask_manifest(self, target: str) -> Answer:
        """What is answered to who asks for a manifest, whatever it is."""
        return self._ask("GET", f"manifests/{target}", {"Accept": ACCEPT})

    def put_manifest(self, target: str, manifest: Manifest) -> Answer:
        """Store a manifest under its digest or a tag.

        Raises:
            BlobUnknown: push that blob first.
        """
        headers = {"Content-Type": manifest.media_type}
        answer = self._ask("PUT", f"manifests/{target}", headers, manifest.data)
        if answer.status in (CREATED, OK, ACCEPTED):
            return answer
        if _BLOB_UNKNOWN & set(answer.codes):
            raise BlobUnknown(answer)
        raise self.refused(answer, f"store the manifest {target}")

    def has_blob(self, digest: Digest) -> bool:
        """Whether the repository holds the blob."""
        answer = self._ask("HEAD", f"blobs/{digest}")
        if answer.status == NOT_FOUND:
            return False
        if answer.status != OK:
            raise self.refused(answer, f"look for {digest.short}")
        return True

    def blob(self, blob: Descriptor) -> Iterator[bytes]:
        """The content of a blob, verified once it was all given; a broken connection is resumed.

        Raises:
            DigestGone, AnswerAltered
        """
        hashed = hashlib.sha256()
        for piece in self.span(blob, 0, blob.size):
            hashed.update(piece)
            yield piece
        actual = Digest.from_hex(hashed.hexdigest())
        if actual != blob.digest:
            raise AnswerAltered(blob.digest, actual, str(self.repository))

    def span(self, blob: Descriptor, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a blob from `start` to `end`, unverified.

        Raises:
            DigestGone
        """
        reading = _Reading(self, blob, start, end)
        try:
            while reading.position < end:
                yield self.patiently(blob.digest.short, reading.piece)
        finally:
            reading.close()

    def tags(self) -> Iterator[str]:
        """Every tag of the repository, none where that does not exist yet."""
        for answer in self.pages(self.at("tags/list", n="1000"), "the list of tags"):
            if answer.status == NOT_FOUND:
                return
            if answer.status != OK:
                raise self.refused(answer, "list its tags")
            yield from answer.json().get("tags") or ()

    def pages(self, url: str, what: str) -> Iterator[Answer]:
        """What is answered to a GET, and to those of the pages that follow."""
        while url:
            answer = self.patiently(what, self._getter(url))
            yield answer
            following = re.match(r'\s*<([^>]*)>\s*;\s*rel="?next', answer.headers.get("Link", ""))
            url = following[1] if following else ""

    def _getter(self, url: str) -> Callable[[], Answer]:
        return lambda: self.server.request("GET", url, self.scope)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        url = self.at(quote(path, safe="/:"))
        return self.patiently(
            path, lambda: self.server.request(method, url, self.scope, headers or {}, body)
        )


class _Reading:
    """One blob's bytes as they come, going on where a connection ended."""

    def __init__(self, client: Client, blob: Descriptor, start: int, end: int) -> None:
        self._client, self._blob = client, blob
        self.position, self._end = start, end
        self._response: urllib3.BaseHTTPResponse | None = None

    def piece(self) -> bytes:
        """The next bytes.

        Raises:
            Interrupted: another call goes on from here.
        """
        if self._client.patience.ended:
            raise Interrupted("something else failed")
        try:
            data = self._read(self._response or self._open())
        except Interrupted:
            self.close()
            raise
        self.position += len(data)
        return data

    def close(self) -> None:
        """Let go of the connection; one that was read to its end serves again."""
        if self._response:
            self._response.close()
            self._response = None

    def _open(self) -> urllib3.BaseHTTPResponse:
        client, digest = self._client, self._blob.digest
        whole = (self.position, self._end) == (0, self._blob.size)
        headers = {} if whole else {"Range": f"bytes={self.position}-{self._end - 1}"}
        answer, response = client.server.stream(client.at(f"blobs/{digest}"), client.scope, headers)
        self._response = response
        if answer.status not in (OK, PARTIAL):
            self.close()
            if answer.status == NOT_FOUND:
                raise DigestGone(str(client.repository), digest, answer.said)
            raise client.refused(answer, f"read {digest.short}")
        if answer.status == OK:
            self._skip(response)
        return response

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        data = read_some(response, min(_PIECE, self._end - self.position))
        if not data:
            raise Interrupted(f"it ended after {self.position} of {self._blob.size} bytes")
        return data

    def _skip(self, response: urllib3.BaseHTTPResponse) -> None:
        """Read past what is known, where a registry gives only the whole."""
        left = self.position
        while left:
            skipped = len(read_some(response, min(_PIECE, left)))
            if not skipped:
                raise Interrupted("it ended early")
            left -= skipped
