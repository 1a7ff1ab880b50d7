"""One registry host: its address, its connections, and what proves who we are to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from packer import retry_after
from packer.registry.access import Access
from packer.registry.answer import PASSING, Answer, Interrupted
from packer.registry.authorization import Authorization, Scope
from packer.registry.errors import RedirectRefused, RegistryError
from packer.registry.login import Logins
from packer.registry.reference import Repository
from packer.registry.transport import Transport, read_all, split

if TYPE_CHECKING:
    import urllib3

Body = bytes | Callable[[], Iterable[bytes]]
"""A request's content: as it is, or made anew for each attempt (with a Content-Length)."""

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_DENIED = (401, 403)
_NO_HEADERS: Mapping[str, str] = {}


class Server:
    """Takes requests for one host, from several threads; `of` gives the process's own."""

    def __init__(self, repository: Repository, access: Access, *, own: bool) -> None:
        """`own`: the host is the one that images go to, for which variables may hold the login."""
        self.name = repository.host
        self._transport = Transport(access)
        scheme = self._transport.scheme(repository.server)
        self.base = split(f"{scheme}://{repository.server}")[0]
        logins = Logins(self.name, access if own else None)
        self._authorization = Authorization(self.name, self._transport, logins)

    def url(self, location: str) -> str:
        """The address that a `Location` means: absolute, or relative to this server.

        Behind a proxy that ends TLS registries often call themselves http: what began encrypted
        stays so.
        """
        url = urljoin(self.base + "/", location)
        origin, target = split(url)
        if origin != self.base and origin.partition("://")[2] == self.base.partition("://")[2]:
            return self.base + target
        return url

    def request(
        self,
        method: str,
        location: str,
        scope: Scope,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: Body = b"",
        *,
        read: float | None = None,
    ) -> Answer:
        """One request, logged in where that is asked for; redirects are followed.

        Raises:
            Interrupted: no answer, or one that another attempt may better.
            RegistryAuth, RedirectRefused, RegistryUntrusted, AnswerUnreadable, LoginUnreadable
        """

        def send(url: str, proof: Mapping[str, str]) -> Answer:
            content = body if isinstance(body, bytes) else body()
            every = {**headers, **proof}
            return self._transport.ask(method, url, every, content or None, read=read)

        return self._persuade(send, location, scope)

    def stream(
        self, location: str, scope: Scope, headers: Mapping[str, str]
    ) -> tuple[Answer, urllib3.BaseHTTPResponse]:
        """A GET whose body is left to read; the answer has its status and headers.

        Raises:
            As `request`.
        """
        opened: list[urllib3.BaseHTTPResponse] = []

        def send(url: str, proof: Mapping[str, str]) -> Answer:
            while opened:
                opened.pop().close()
            response = self._transport.send("GET", url, {**headers, **proof})
            opened.append(response)
            data = b"" if response.status in (200, 206) else read_all(response, 1 << 16)
            return Answer("GET", url, response.status, response.headers, data)

        try:
            answer = self._persuade(send, location, scope)
        except BaseException:
            while opened:
                opened.pop().close()
            raise
        return answer, opened[0]

    def greet(self, scope: Scope) -> None:
        """Connect and log in ahead of the first request; what fails will fail again then."""
        with suppress(Interrupted, RegistryError):
            self.request("GET", "/v2/", scope)

    def _persuade(
        self, send: Callable[[str, Mapping[str, str]], Answer], location: str, scope: Scope
    ) -> Answer:
        """Send with what proves who we are, learning how from a first 401, and once more with a
        new token or login where one was refused.
        """
        url = self.url(location)
        proof = self._authorization.header(scope) if self._is_home(url) else ""
        answer = self._follow(send, url, proof)
        renewed = False
        while answer.status in _DENIED and split(answer.url)[0] == self.base:
            if renewed or not self._authorization.refused(answer, proof, scope):
                break
            renewed = bool(proof)
            proof = self._authorization.header(scope)
            answer = self._follow(send, url, proof)
        if answer.status in _DENIED:
            raise self._denied(answer, scope)
        if answer.status in PASSING:
            raise Interrupted(
                answer.said, wait=retry_after.seconds(answer.headers.get("Retry-After", ""))
            )
        return answer

    def _follow(
        self, send: Callable[[str, Mapping[str, str]], Answer], url: str, proof: str
    ) -> Answer:
        """Send, and follow redirects; the proof goes to this server alone."""
        for _ in range(_MOST_REDIRECTS):
            shown = {"Authorization": proof} if proof and self._is_home(url) else {}
            answer = send(url, shown)
            target = answer.headers.get("Location", "")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = self.url(urljoin(url, target))
            if not self._is_home(url) and answer.method not in ("GET", "HEAD"):
                reason = "what is uploaded stays with the host you named"
                raise RedirectRefused(self.name, url, reason)
        raise RedirectRefused(self.name, url, "it redirects again and again")

    def _is_home(self, url: str) -> bool:
        """Whether a URL is of this server, and so may have our login.

        Raises:
            RedirectRefused: it leads from an encrypted connection to one that is not.
        """
        origin = split(url)[0]
        if origin.startswith("http://") and self.base.startswith("https://"):
            raise RedirectRefused(self.name, url, "that address is not encrypted")
        return origin == self.base

    def _denied(self, answer: Answer, scope: Scope) -> RegistryError:
        if split(answer.url)[0] != self.base:
            reason = "that address asks for a login, and yours is not for it"
            return RedirectRefused(self.name, answer.url.partition("?")[0], reason)
        return self._authorization.denied(answer, scope)


_servers: dict[tuple[str, Access, bool], Server] = {}
_lock = threading.Lock()


def of(repository: Repository, access: Access, *, own: bool = True) -> Server:
    """This process's server for the host of `repository`, with its warm connections and tokens."""
    key = (repository.host, access, own)
    with _lock:
        if key not in _servers:
            _servers[key] = Server(repository, access, own=own)
        return _servers[key]
