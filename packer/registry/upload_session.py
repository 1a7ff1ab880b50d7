"""An upload that a registry has begun (distribution-spec, "Pushing blobs").

Nothing is tried again here: whoever sends knows what can be sent once more.
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlencode

from packer.digest import Digest
from packer.registry.answer import Answer, Interrupted
from packer.registry.client import ACCEPTED, CREATED, NO_CONTENT, OK, Client
from packer.registry.errors import AnswerUnreadable, RegistryError
from packer.registry.server import Body
from packer.registry.transport import READ

_BINARY = {"Content-Type": "application/octet-stream"}
_RANGE_INVALID = 416
_SLOWEST = 5_000_000
"""Bytes that a registry takes in a second, at least."""


class UploadSession:
    """One upload. Every method raises, besides what it says, as `Server.request` does."""

    def __init__(self, client: Client, what: str, location: str = "") -> None:
        """`what` is sent; `location`: an upload that the registry has begun already."""
        self._client, self._what = client, what
        self.location = location
        """Where it goes on; empty before it began, and once the registry knows it no more."""

    def begin(self) -> int:
        """Begin it; the least number of bytes that the registry takes at a time."""
        answer = self._request("POST", self._client.at("blobs/uploads/"))
        if answer.status != ACCEPTED:
            raise self._client.refused(answer, f"take the upload of {self._what}")
        self._follow(answer)
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        return int(least) if least.isdigit() else 0

    def patch(self, body: Body, start: int, end: int) -> int:
        """Send the bytes from `start` to `end`; how many the registry has now."""
        span = {"Content-Range": f"{start}-{end - 1}"}
        patience = READ + (end - start) / _SLOWEST
        answer = self._send("PATCH", self.location, body, end - start, span, patience)
        if answer.status == _RANGE_INVALID:
            raise Interrupted(answer.said)
        if answer.status not in (ACCEPTED, CREATED, NO_CONTENT):
            raise self.unexpected(answer)
        self._follow(answer)
        return _received(answer, end)

    def put(self, digest: Digest, body: Body, start: int, end: int) -> Answer | None:
        """Send the bytes from `start` on and end the upload; None, or an answer that means no."""
        separator = "&" if "?" in self.location else "?"
        location = self.location + separator + urlencode({"digest": digest})
        # Some look only now at all that was sent.
        patience = READ + end / _SLOWEST
        answer = self._send("PUT", location, body, end - start, {}, patience)
        return None if answer.status in (CREATED, NO_CONTENT, OK) else answer

    def cancel(self) -> None:
        """Take back what was sent; registries clean up by themselves, and some let only few."""
        if self.location:
            with suppress(RegistryError, Interrupted):
                self._request("DELETE", self.location)

    def is_there(self, digest: Digest) -> bool:
        """Whether the repository holds the blob, asked once."""
        return self._request("HEAD", self._client.at(f"blobs/{digest}")).status == OK

    def received(self) -> int | None:
        """How many bytes the registry has; None where it knows nothing of this upload."""
        if not self.location:
            return None
        answer = self._request("GET", self.location)
        if answer.status != NO_CONTENT:
            self.location = ""
            return None
        self._follow(answer)
        return _received(answer, 0)

    def unexpected(self, answer: Answer) -> RegistryError | Interrupted:
        """What an answer means that nobody waits for."""
        if {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"} & set(answer.codes):
            self.location = ""
            return Interrupted(answer.said)
        return self._client.refused(answer, f"take {self._what}")

    def _request(self, method: str, location: str) -> Answer:
        return self._client.server.request(method, location, self._client.scope)

    def _send(  # noqa: PLR0917
        self,
        method: str,
        location: str,
        body: Body,
        size: int,
        headers: dict[str, str],
        read: float,
    ) -> Answer:
        headers = {**_BINARY, "Content-Length": str(size), **headers}
        return self._client.server.request(
            method, location, self._client.scope, headers, body, read=read
        )

    def _follow(self, answer: Answer) -> None:
        location = answer.headers.get("Location", "") or self.location
        if not location:
            raise AnswerUnreadable(str(self._client.repository), "an upload without a Location")
        self.location = location


def _received(answer: Answer, otherwise: int) -> int:
    """How many bytes the registry says it has; "0-0" is what it says of none."""
    found = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", "").strip())
    if not found:
        return otherwise
    last = int(found[1])
    return last + 1 if last else 0
