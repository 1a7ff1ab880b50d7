"""Connections to one host: TLS, proxies, time-outs, and what failures of them mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from packer import proxies
from packer.registry.access import Access
from packer.registry.answer import Answer, Interrupted
from packer.registry.errors import AnswerUnreadable, RegistryUntrusted
from packer.registry.reference import is_loopback

if TYPE_CHECKING:
    import ssl

    import urllib3

CONNECT = 10.0
"""Seconds for a connection to be made."""

READ = 30.0
"""Seconds of silence on an open connection."""

_DOCKER_CERTIFICATES = Path("/etc/docker/certs.d")
_BLOCK = 1 << 18
_KEPT = 64
"""Connections kept open; urllib3 prints a warning for each above that."""

_LONGEST = 1 << 24
_USUAL = {"http": ":80", "https": ":443"}
_PLAIN = re.compile("WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE|PACKET_LENGTH_TOO_LONG")


class Transport:
    """Sends requests and knows nothing of registries; used by several threads at once."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pools: dict[str, urllib3.PoolManager] = {}

    def scheme(self, host: str) -> str:
        """How `host` is spoken to: "http" on the loopback or where it is asked for."""
        if host in self._access.insecure:
            return "http"
        return "http" if is_loopback(host) and not self._authorities(host) else "https"

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        *,
        read: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request, and return the answer with its body unread. No redirect is followed.

        `read` is how many seconds of silence mean that there will be no answer; None for `READ`, or
        for the whole patience where that is less.

        Raises:
            Interrupted: there was no connection, or it ended before an answer.
            RegistryUntrusted
        """
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError, NewConnectionError, SSLError

        origin, patience = split(url)[0], self._access.patience
        silence = Timeout(connect=min(CONNECT, patience), read=read or min(READ, patience))
        try:
            return self._pool(origin).urlopen(
                method,
                url,
                body=body,
                headers={"User-Agent": "sendoff", **headers},
                redirect=False,
                retries=False,
                timeout=silence,
                preload_content=False,
                decode_content=False,
            )
        except SSLError as error:
            raise _insecure(origin, error) from error
        except (HTTPError, OSError) as error:
            connected = not isinstance(error, NewConnectionError)
            raise Interrupted(_said(error), connected=connected) from error

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        *,
        read: float | None = None,
    ) -> Answer:
        """The same, with the whole answer.

        Raises:
            Interrupted, RegistryUntrusted
            AnswerUnreadable: it is longer than any registry's.
        """
        response = self.send(method, url, headers, body, read=read)
        data = read_all(response, _LONGEST)
        if len(data) == _LONGEST:
            response.close()
            raise AnswerUnreadable(split(url)[0], f"more than {_LONGEST} bytes")
        return Answer(method, url, response.status, response.headers, data)

    def _pool(self, origin: str) -> urllib3.PoolManager:
        pool = self._pools.get(origin)
        if not pool:
            pool = self._pools.setdefault(origin, self._connect(origin))
        return pool

    def _connect(self, origin: str) -> urllib3.PoolManager:
        scheme, _, host = origin.partition("://")
        context = self._context(host) if scheme == "https" else None
        proxy = proxies.of_environment(host, scheme, "all")
        return proxies.pool(proxy, maxsize=_KEPT, blocksize=_BLOCK, ssl_context=context)

    def _context(self, host: str) -> ssl.SSLContext:
        import ssl

        context = ssl.create_default_context()
        for path in self._authorities(host):
            context.load_verify_locations(path)
        return context

    def _authorities(self, host: str) -> list[Path]:
        """Certificates of authorities for this host: configured, and where docker looks."""
        own = [self._access.certificates] if self._access.certificates else []
        return [*own, *sorted((_DOCKER_CERTIFICATES / host).glob("*.crt"))]


def read_some(response: urllib3.BaseHTTPResponse, most: int) -> bytes:
    """The next bytes of an answer's body, at most so many; none at its end.

    Raises:
        Interrupted: the connection broke, and is closed.
    """
    from urllib3.exceptions import HTTPError

    try:
        return response.read(most)
    except (HTTPError, OSError) as error:
        response.close()
        raise Interrupted(_said(error)) from error


def read_all(response: urllib3.BaseHTTPResponse, most: int) -> bytes:
    """The rest of an answer's body, or its first `most` bytes.

    Raises:
        Interrupted: as `read_some`.
    """
    data = b""
    # Only who reads on is told that less came than was announced.
    while (left := most - len(data)) and (piece := read_some(response, left)):
        data += piece
    return data


def split(url: str) -> tuple[str, str]:
    """A URL's origin, "https://host:port" without a usual port, and the rest: path and query."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    target = rest[len(host) :].partition("#")[0]
    scheme, bare = scheme.lower(), host.rpartition("@")[2].lower()
    return f"{scheme}://{bare.removesuffix(_USUAL.get(scheme, ' '))}", target or "/"


def _insecure(origin: str, error: Exception) -> Exception:
    import ssl

    host, said = origin.partition("://")[2], str(error)
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in error.args):
        return RegistryUntrusted(host, said, plain=False)
    if _PLAIN.search(said):
        return RegistryUntrusted(host, said, plain=True)
    return Interrupted(said)


def _said(error: Exception) -> str:
    """The cause's words, without the names and addresses of objects."""
    text = str(error.args[-1] if error.args else error)
    return re.sub(r"<[^>]*>:? ?|\w+Connection\([^)]*\): ?", "", text) or type(error).__name__
