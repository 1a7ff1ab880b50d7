"""Talks to a cluster's API server: the one module that does.

Bodies are JSON as bytes in both directions; what they mean is others' business.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from dispatcher.kubernetes import answers, cluster_choice
from dispatcher.kubernetes.answers import Transient
from dispatcher.kubernetes.errors import ApiUnauthorized, NotKubernetes
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.stream import Stream
from packer.record import Record

if TYPE_CHECKING:
    import urllib3

    from dispatcher.kubernetes.connection import Connection

T = TypeVar("T")
Query = Mapping[str, str | int]

PATIENCE = 30.0
"""Seconds that a call may take in all, however often it is tried."""
_CONNECT, _READ = 5.0, 30.0
_SHOWN = 500
"""Bytes of an answer that may be shown."""
_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
"""JSON is YAML, too."""
_MANAGER = {"fieldManager": "sendoff", "force": "true"}
_CLOSE = 2.0
"""Clocks that differ by less are taken for equal; the header has whole seconds."""


class Unanswered(Exception):
    """Something was asked for once, and may have been done or not: what came instead of word."""

    def __init__(self, last: Transient) -> None:
        super().__init__(last.reason)
        self.retry_after = last.retry_after
        """Seconds that the server asks to wait for."""
        self.final = last.final


class Call(Record, frozen=True):
    """One request."""

    method: str
    path: str
    query: Query | None = None
    body: Mapping[str, Any] | None = None
    silence: float = 0
    """The longest that a streamed answer may be still; 0 for one that is read at once."""
    read: float = _READ
    """The longest that one that is read at once may be still."""
    accept: str = _JSON
    content: str = _JSON
    """What the body is."""


class Link(NamedTuple):
    """A connection, and what keeps it open."""

    connection: Connection
    pool: urllib3.PoolManager


class Client:
    """One cluster. Several threads may use it at once.

    Every call raises:
        ClusterNotConfigured, NotKubernetes, ClusterUnreachable, ClusterFailing, ApiUnauthorized,
        ApiForbidden, QuotaExceeded, NamespaceMissing, ApiRejected
        Refusal: 404, 409 or 410, which callers expect.
    """

    def __init__(self, settings: ClusterSettings, patience: float = PATIENCE) -> None:
        self._settings, self._patience = settings, patience
        self._lock = threading.Lock()
        self._current: Link | None = None
        self._ahead = 0.0

    @property
    def host(self) -> str:
        """The API server's URL."""
        return self._link().connection.host

    @property
    def namespace(self) -> str:
        """Where runs go."""
        return self._settings.namespace or self._link().connection.namespace

    @cached_property
    def paths(self) -> Paths:
        """The paths of that namespace."""
        return Paths(self.namespace)

    def now(self) -> float:
        """The time by the cluster's clock, in seconds since the epoch."""
        return time.time() + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds by which the cluster's clock, as far as it was seen, is ahead of ours."""
        return self._ahead

    def get(
        self,
        path: str,
        query: Query | None = None,
        *,
        accept: str = _JSON,
        patience: float | None = None,
    ) -> bytes:
        """Read, in the form of `accept`; tried again for `patience` seconds where that may help."""
        read = _READ if patience is None else min(patience, _READ)
        call = Call(method="GET", path=path, query=query, accept=accept, read=read)
        return self._repeated(lambda: self._ask(call).data, patience=patience)

    def delete(self, path: str, options: Mapping[str, Any]) -> bytes:
        """Delete; `options` are DeleteOptions, with a precondition that makes repeating it safe."""
        call = Call(method="DELETE", path=path, body=options)
        return self._repeated(lambda: self._ask(call).data)

    def ask(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> bytes:
        """Post what changes nothing: an access review, a dry run."""
        call = Call(method="POST", path=path, query=query, body=body)
        return self._repeated(lambda: self._ask(call).data)

    def create(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Create an object; tried again only where the server has surely not done so.

        Raises:
            Unanswered: it may be there now. Read, then decide.
        """
        call = Call(method="POST", path=path, body=body)
        return self._repeated(lambda: self._ask(call).data, once=True)

    def replace(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Have the object at `path`, which is there, be as `body` says; repeating it is safe."""
        call = Call(method="PUT", path=path, body=body)
        return self._repeated(lambda: self._ask(call).data)

    def apply(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Have the object at `path` be as `body` says, made or changed; repeating it is safe."""
        call = Call(method="PATCH", path=path, query=_MANAGER, body=body, content=_APPLY)
        return self._repeated(lambda: self._ask(call).data)

    def stream(self, path: str, query: Query, silence: float) -> Stream:
        """An answer that goes on; `silence` is the longest that it may be still, in seconds."""
        call = Call(method="GET", path=path, query=query, silence=silence)
        return Stream(self._repeated(lambda: self._ask(call)))

    def _repeated(
        self, attempt: Callable[[], T], *, once: bool = False, patience: float | None = None
    ) -> T:
        began = time.monotonic()
        patience = self._patience if patience is None else min(patience, self._patience)
        try:
            return attempt()
        except Transient as first:
            # Seldom needed, so its import is not everybody's.
            from dispatcher.kubernetes.retries import again

            try:
                return again(attempt, first, patience, sent_ok=not once)
            except Transient as last:
                if once and last.sent:
                    raise Unanswered(last) from last
                raise last.final(self.host, time.monotonic() - began) from last

    def _ask(self, call: Call) -> urllib3.BaseHTTPResponse:
        """One request, with credentials read anew where they are refused."""
        link = self._link()
        response = _send(link, call)
        self._ahead = _ahead(response.headers.get("Date", ""))
        if response.status == answers.UNAUTHORIZED:
            response.drain_conn()
            link = self._link(instead_of=link)
            response = _send(link, call)
        if response.status < answers.SUCCESS and call.silence:
            return response
        said, status = response.data, response.status
        if answers.is_foreign(status, said, call.path):
            words = said[:_SHOWN].decode(errors="replace")
            raise NotKubernetes(link.connection.host, call.path, status, words)
        if status < answers.SUCCESS:
            return response
        if status == answers.UNAUTHORIZED:
            words = answers.status_of(said).message
            raise ApiUnauthorized(link.connection.host, link.connection.source, words)
        wait = response.headers.get("Retry-After", "")
        raise answers.transient(status, said, wait) or answers.error(
            status, said, call.method, call.path
        )

    def _link(self, instead_of: Link | None = None) -> Link:
        """The link that all threads share; instead of one that failed, a new one."""
        with self._lock:
            if self._current is None or self._current is instead_of:
                from dispatcher.kubernetes.transport import pool

                found = cluster_choice.load(self._settings)
                self._current = Link(found, pool(found))
            return self._current


def _send(link: Link, call: Call) -> urllib3.BaseHTTPResponse:
    import urllib3
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

    query = f"?{urlencode(call.query)}" if call.query else ""
    headers = {**link.pool.headers, "Accept": call.accept}
    if call.body is not None:
        headers["Content-Type"] = call.content
    try:
        return link.pool.request(
            call.method,
            f"{link.connection.host}{call.path}{query}",
            body=None if call.body is None else json.dumps(call.body).encode(),
            headers=headers,
            timeout=urllib3.Timeout(connect=_CONNECT, read=call.silence or call.read),
            preload_content=not call.silence,
            redirect=False,
        )
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise Transient(str(error), 0, 0, sent=False) from error
    except HTTPError as error:
        raise Transient(str(error), 0, 0, sent=True) from error


def _ahead(date: str) -> float:
    """How far the clock of whoever wrote this header is ahead, if by more than it could be off."""
    try:
        seen = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return 0
    ahead = seen - time.time()
    return ahead if abs(ahead) > _CLOSE else 0
