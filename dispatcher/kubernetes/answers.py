"""What the API server's refusals mean: from a status and its words to an error. Pure."""

from __future__ import annotations

import re

import msgspec

from dispatcher.kubernetes.errors import (
    ApiForbidden,
    ApiRejected,
    ClusterFailing,
    NamespaceMissing,
    QuotaExceeded,
)
from packer import retry_after
from packer.errors import SendoffError
from packer.record import decodable

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, TOO_MANY = 401, 403, 404, 409, 410, 429
SUCCESS, _ERROR = 300, 400
"""Below these, an answer is a success, and one that sends the client elsewhere."""
_TRANSIENT = frozenset({TOO_MANY, 500, 502, 503, 504})
_CANNOT = re.compile(
    r'cannot (?P<verb>[\w-]+) resource "(?P<resource>[^"]+)"'
    r'(?: in API group "[^"]*")?(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_QUOTA = re.compile(r"exceeded quota: [^\n]*")
_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')
_VERBS = {"POST": "create", "DELETE": "delete", "PATCH": "patch", "PUT": "update"}
_BUILT_IN = re.compile(r"/version$|/api/|/apis/(?:[a-z]+|[a-z.]+\.k8s\.io)/")
"""Paths that every API server has; of others it says that there is no such page."""
_PATH = re.compile(r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)(?:/[^/]+)?$")


class Details(msgspec.Struct, frozen=True, rename="camel"):
    """details of a Status."""

    retry_after_seconds: int = 0


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The API's way to say that something went wrong (meta/v1, Status)."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


class Transient(Exception):
    """It may work in a moment."""

    def __init__(self, reason: str, status: int, retry_after: float, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason, self.status, self.retry_after = reason, status, retry_after
        self.sent = sent
        """Whether the server may have done what it was asked."""

    def final(self, host: str, waited: float) -> SendoffError:
        """What to say when time is up."""
        from dispatcher.kubernetes.errors import ClusterUnreachable

        if self.status:
            return ClusterFailing(host, self.status, self.reason, waited)
        return ClusterUnreachable(host, self.reason, waited)


class Refusal(Exception):
    """An answer that is no success: 404, 409, 410 and whatever has no error of its own."""

    def __init__(self, status: int, said: Status) -> None:
        super().__init__(status, said.message)
        self.status, self.said = status, said


def status_of(body: bytes) -> Status:
    """The Status that a body holds; with the body as its words where it holds none."""
    try:
        return msgspec.json.decode(body, type=decodable(Status))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Status(message=body[:500].decode(errors="replace").strip())


def is_foreign(status: int, body: bytes, path: str) -> bool:
    """Whether no API server answers so: its successes are objects, what it does not find it tells
    by a Status, and it sends nobody elsewhere.
    """
    if status < SUCCESS:
        return not body.lstrip().startswith(b"{")
    if status == NOT_FOUND:
        return bool(_BUILT_IN.match(path)) and not status_of(body).code
    return status < _ERROR


def transient(status: int, body: bytes, header: str) -> Transient | None:
    """Why to try again; None where that would not help. `header`: the answer's Retry-After."""
    if status not in _TRANSIENT:
        return None
    said = status_of(body)
    seconds = retry_after.seconds(header)
    if said.details:
        seconds = max(seconds, said.details.retry_after_seconds)
    # Too many requests: turned away at the door.
    sent = status != TOO_MANY
    return Transient(said.message or f"status {status}", status, seconds, sent=sent)


def error(status: int, body: bytes, method: str, path: str) -> Exception:
    """What an answer that is neither a success nor transient stands for."""
    said = status_of(body)
    words = said.message
    if status == FORBIDDEN:
        return _forbidden(words, method, path)
    missing = _NAMESPACE.search(words)
    if status == NOT_FOUND and missing:
        return NamespaceMissing(missing[1])
    if status in (NOT_FOUND, CONFLICT, GONE):
        return Refusal(status, said)
    return ApiRejected(status, words)


def _forbidden(words: str, method: str, path: str) -> SendoffError:
    place = _PATH.search(path)
    namespace = (place and place["namespace"]) or ""
    quota = _QUOTA.search(words)
    if quota:
        return QuotaExceeded(namespace, quota[0])
    cannot = _CANNOT.search(words)
    if cannot:
        return ApiForbidden(cannot["verb"], cannot["resource"], cannot["namespace"] or "", words)
    if "denied the request" in words or "is forbidden: " in words:
        return ApiRejected(FORBIDDEN, words)
    resource = place["resource"] if place else path
    return ApiForbidden(_VERBS.get(method, "get"), resource, namespace, words)
