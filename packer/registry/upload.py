"""Putting one blob into a repository (distribution-spec, "Pushing blobs").

One POST and one PUT for most; in pieces above `CHUNK`. After a broken connection the registry is
asked how much it has, and the rest goes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from packer.digest import Digest
from packer.registry.answer import Answer, Interrupted
from packer.registry.client import ACCEPTED, CREATED, Client
from packer.registry.content import Content
from packer.registry.errors import PushInterrupted, RegistryError
from packer.registry.reference import Repository
from packer.registry.server import Body
from packer.registry.upload_session import UploadSession

CHUNK = 96_000_000
"""Bytes sent with one request. Some proxies before registries take no more than 100 MB."""

_SMALL = 1 << 20
_MOST_BEGINNINGS = 8
"""A registry that cannot resume may take the first piece for ever, and never the last."""

Sent = Callable[[int], object]
"""Told how many more bytes have been handed to the network."""


def mount(client: Client, digest: Digest, source: Repository) -> str | None:
    """Have the registry take a blob from another repository of its own.

    Returns None where that was done, else where to upload the blob: an address, or "" for nowhere
    yet. Harbor has answered 401 and others 4xx to what they do not mount.
    """
    url = client.at("blobs/uploads/", mount=digest, **{"from": source.path})
    scope = (*client.scope, f"repository:{source.path}:pull")

    def attempt() -> Answer | None:
        try:
            return client.server.request("POST", url, scope)
        except RegistryError:
            return None

    answer = client.patiently(f"mounting {digest.short}", attempt)
    if answer and answer.status == CREATED:
        return None
    return answer.headers.get("Location", "") if answer and answer.status == ACCEPTED else ""


class Upload:
    """One blob on its way."""

    def __init__(
        self,
        client: Client,
        content: Content,
        sent: Sent,
        *,
        location: str = "",
        chunk: int = CHUNK,
    ) -> None:
        """`location`: an upload that the registry has begun already."""
        self._client, self._content, self._sent = client, content, sent
        self._blob = content.blob
        self._session = UploadSession(client, self._blob.digest.short, location)
        self._offset, self._chunk = 0, chunk
        self._told = self._begun = 0
        self._failed = False

    def run(self) -> None:
        """Send it.

        Raises:
            As `Client`; and BlobMissing, BlobAltered where the content is not what it should be.
        """
        while not self._client.patiently(self._blob.digest.short, self._attempt):
            pass

    def _attempt(self) -> bool:
        """One request further; whether the blob is there now."""
        try:
            if self._failed and self._resume():
                return True
            if not self._session.location:
                self._begin()
            if self._in_pieces and self._offset < self._blob.size:
                self._patch()
                return False
            self._put()
        except Interrupted:
            self._failed = True
            raise
        return True

    @property
    def _in_pieces(self) -> bool:
        """Whether the last request carries nothing: not every registry takes a range with it."""
        return self._offset > 0 or self._blob.size > self._chunk

    def _begin(self) -> None:
        self._begun += 1
        if self._begun > _MOST_BEGINNINGS:
            raise PushInterrupted(
                str(self._client.repository),
                self._blob.digest.short,
                f"begun {_MOST_BEGINNINGS} times, and cut each time",
                self._client.patience.seconds,
            )
        self._chunk = max(self._chunk, self._session.begin())
        self._offset = 0

    def _patch(self) -> None:
        """Send the next piece of a large blob."""
        end = min(self._offset + self._chunk, self._blob.size)
        self._offset = self._session.patch(self._body(end), self._offset, end)

    def _put(self) -> None:
        """Send all that was not, and end the upload."""
        size = self._blob.size
        answer = self._session.put(self._blob.digest, self._body(size), self._offset, size)
        if answer:
            raise self._unexpected(answer)

    def _body(self, end: int) -> Body:
        """The bytes from where the upload is to `end`."""
        start = self._offset
        return (lambda: self._pieces(start, end)) if start < end else b""

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        for piece in self._content.span(start, end):
            if self._client.patience.ended:
                raise Interrupted("something else failed")
            yield piece
            start += len(piece)
            # What is sent again after a failure was told before.
            if start > self._told:
                self._sent(start - self._told)
                self._told = start
        if start < end:
            self._content.check()
            raise Interrupted(f"only {start} of {end} bytes could be read")

    def _resume(self) -> bool:
        """Find out what became of the last attempt; whether the blob is there."""
        if self._session.is_there(self._blob.digest):
            return True
        if self._blob.size > _SMALL:
            self._offset = min(self._session.received() or 0, self._blob.size)
        else:
            self._session.location = ""
        self._failed = False
        return False

    def _unexpected(self, answer: Answer) -> Exception:
        """What an answer means that ends this upload."""
        if "DIGEST_INVALID" in answer.codes:
            self._content.check()
            # The bytes are right here, so they were not there: once more from the start.
            self._session.location = ""
            return Interrupted(answer.said)
        return self._session.unexpected(answer)


def probe(client: Client) -> None:
    """Begin an upload and take it back: whether the repository may be pushed to."""
    session = UploadSession(client, "nothing")
    client.patiently("an upload", session.begin)
    session.cancel()
