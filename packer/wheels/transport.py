"""Reading from package indexes: proxy, certificates, logins, retries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from packer import proxies
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import IndexSources

if TYPE_CHECKING:
    import urllib3

T = TypeVar("T")

AT_ONCE = 8
"""Requests side by side."""

_CHUNK = 1 << 18
_ATTEMPTS = 4
_PARTIAL = 206
_OK = (200, _PARTIAL)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_ABSENT = (404, 410)
_FORBIDDEN = 403
_PYTORCH = "download.pytorch.org"


class _Interrupted(Exception):
    """An answer that another attempt may better."""


class Transport:
    """Connections to the hosts that serve wheels; used by several threads at once."""

    def __init__(self, sources: IndexSources) -> None:
        self._sources = sources
        self._pools: dict[str, urllib3.PoolManager] = {}

    def read(self, url: str, sink: Callable[[bytes], object]) -> None:
        """Give the content of `url` to `sink`, going on where a broken connection ended.

        Raises:
            WheelUnavailable: it is not there, or the connection broke too often.
        """
        position = 0

        def attempt() -> None:
            nonlocal position
            for chunk in self._stream(url, position):
                sink(chunk)
                position += len(chunk)

        self._retry(url, attempt)

    def span(self, url: str, start: int, size: int) -> bytes | None:
        """`size` bytes of `url` from `start`, from its end where that is negative.

        None where the server gives only the whole.

        Raises:
            WheelUnavailable: it is not there, or the connection broke too often.
        """
        asked = f"bytes={start}" if start < 0 else f"bytes={start}-{start + size - 1}"

        def attempt() -> bytes | None:
            answer = self._get(url, {"Range": asked})
            try:
                return answer.read(decode_content=False) if answer.status == _PARTIAL else None
            finally:
                answer.release_conn() if answer.status == _PARTIAL else answer.close()

        return self._retry(url, attempt)

    def size(self, url: str) -> int:
        """Bytes of what is at `url`; 0 where the server does not tell, and for a local file.

        Raises:
            WheelUnavailable: it is not there, or the connection broke too often.
        """
        if url.startswith("file:"):
            return 0

        def attempt() -> int:
            answer = self._get(url, {}, "HEAD")
            answer.release_conn()
            length = answer.headers.get("Content-Length", "")
            return int(length) if length.isdigit() else 0

        return self._retry(url, attempt)

    def _stream(self, url: str, position: int) -> Iterator[bytes]:
        if url.startswith("file:"):
            with Path(unquote(urlsplit(url).path)).open("rb") as file:
                file.seek(position)
                yield from iter(lambda: file.read(_CHUNK), b"")
            return
        answer = self._get(url, {"Range": f"bytes={position}-"} if position else {})
        skip = 0 if answer.status == _PARTIAL else position
        try:
            for chunk in answer.stream(_CHUNK, decode_content=False):
                fresh = chunk[skip:]
                skip -= len(chunk) - len(fresh)
                if fresh:
                    yield fresh
        finally:
            answer.close()

    def _get(
        self, url: str, headers: dict[str, str], method: str = "GET"
    ) -> urllib3.BaseHTTPResponse:
        answer = self._pool(url).request(
            method,
            url,
            headers={"Accept-Encoding": "identity", **headers, **self._login(url)},
            preload_content=False,
            redirect=True,
        )
        if answer.status in _PASSING:
            answer.close()
            raise _Interrupted(f"the server answered {answer.status}")
        if answer.status not in _OK:
            answer.close()
            said = f"the server answered {answer.status}"
            raise WheelUnavailable(_name(url), url, said, absent=_is_absent(url, answer.status))
        return answer

    def _pool(self, url: str) -> urllib3.PoolManager:
        host = urlsplit(url).netloc.rpartition("@")[2]
        proxy = proxies.of_environment(host, "https", "http")
        if proxy not in self._pools:
            self._pools.setdefault(proxy, _connect(self._sources, proxy))
        return self._pools[proxy]

    def _login(self, url: str) -> dict[str, str]:
        import urllib3

        host = urlsplit(url).hostname or ""
        login = self._sources.logins.get(host) or _netrc(host)
        return urllib3.make_headers(basic_auth=":".join(login)) if login else {}

    def _retry(self, url: str, attempt: Callable[[], T]) -> T:
        import tenacity
        from urllib3.exceptions import HTTPError

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            retry=tenacity.retry_if_exception_type((HTTPError, _Interrupted)),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except (HTTPError, _Interrupted, OSError) as error:
            absent = isinstance(error, FileNotFoundError)
            raise WheelUnavailable(_name(url), url, str(error), absent=absent) from error


def _connect(sources: IndexSources, proxy: str) -> urllib3.PoolManager:
    import ssl

    import urllib3

    bundle = sources.certificates or os.environ.get("REQUESTS_CA_BUNDLE")
    return proxies.pool(
        proxy,
        ssl_context=ssl.create_default_context(cafile=bundle or None),
        maxsize=AT_ONCE,
        timeout=urllib3.Timeout(connect=10, read=60),
        retries=urllib3.Retry(total=None, connect=0, read=0, status=0, redirect=5, other=0),
    )


def _is_absent(url: str, status: int) -> bool:
    """Whether the answer is that there is no such thing: 403 from PyTorch's index, as uv has it."""
    return status in _ABSENT or (status == _FORBIDDEN and urlsplit(url).hostname == _PYTORCH)


def _netrc(host: str) -> tuple[str, str] | None:
    from netrc import NetrcParseError, netrc

    try:
        found = netrc().authenticators(host)
    except (OSError, NetrcParseError):
        return None
    return (found[0], found[2] or "") if found else None


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])
