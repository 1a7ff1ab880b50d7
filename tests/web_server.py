"""What every small HTTP server of the tests is: a handler, a free port, a thread."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.registries.certificates import Identity

LOOPBACK = "127.0.0.1"


class Quiet:
    """What writes nothing to the terminal, whichever handler it is."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Handler(Quiet, BaseHTTPRequestHandler):
    """A handler that only has to say what it answers."""

    def answer(self, status: int, data: bytes, kind: str = "application/octet-stream") -> None:
        """A whole answer; to HEAD without its body."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    # A client such as uv opens tens of connections at once; one that finds no room tries again only
    # after a second.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Told as ever, unless it is that a client left: many tests are about those."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class WebServer:
    """A server for as long as the `with` block lasts; its port is known before."""

    def __init__(
        self,
        handler: Callable[..., BaseHTTPRequestHandler],
        host: str = LOOPBACK,
        identity: Identity | None = None,
    ) -> None:
        """`identity`: what it shows for TLS."""
        self.server = _Server((host, 0), handler)
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity.certificate, identity.key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if identity else 'http'}://{host}:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
