"""Serves MCP over streamable HTTP to whoever knows the token."""

from __future__ import annotations

import hmac
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware.authentication import AuthenticationMiddleware

from packer.record import Record
from sendoff.mcp import server
from sendoff.mcp.desk import Desk
from sendoff.mcp.errors import PortTaken, TokenMissing, TokenWeak

if TYPE_CHECKING:
    from starlette.applications import Starlette

VARIABLE = "SENDOFF_MCP_TOKEN"
SHORTEST = 16
"""Letters of a token."""
PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BACKLOG = 64


class Address(Record, frozen=True):
    """Where to listen, and by which further names clients may call that."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any that is free."""
    names: tuple[str, ...] = ()
    """Hosts, each with a port where that is another."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine gets there."""
        return self.host in _LOOPBACK


def token(file: Path | None) -> str:
    """The token, from the environment or a file. It is taken out of the environment.

    Raises:
        TokenMissing, TokenWeak
    """
    found = os.environ.pop(VARIABLE, "").strip()
    if not found and file:
        try:
            found = file.read_text().strip()
        except OSError as error:
            raise TokenMissing(f"{file}: {error.strerror or error}") from None
    if not found:
        raise TokenMissing("")
    if len(found) < SHORTEST:
        raise TokenWeak(len(found), SHORTEST)
    return found


class _Verifier:
    """Knows one token. Comparing takes as long for any other."""

    def __init__(self, known: str) -> None:
        self._known = known.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who sends it; None where it is another."""
        if not hmac.compare_digest(token.encode(), self._known):
            return None
        return AccessToken(token=token, client_id="sendoff", scopes=[])


def application(desk: Desk, known: str, hosts: Sequence[str]) -> Starlette:
    """What is served: 401 without the token, 421 and 403 for a Host or Origin that is not ours."""
    verifier = _Verifier(known)
    app = server.of(desk).streamable_http_app(
        streamable_http_path=PATH,
        transport_security=TransportSecuritySettings(
            allowed_hosts=list(hosts),
            allowed_origins=[
                f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts
            ],
        ),
        token_verifier=verifier,
    )
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier))
    return app


def serve(desk: Desk, address: Address, known: str, listening: Callable[[str], None]) -> None:
    """Serve until interrupted; `listening` is told the URL.

    Raises:
        PortTaken
    """
    with _socket(address) as there:
        port = there.getsockname()[1]
        host = f"[{address.host}]" if ":" in address.host else address.host
        hosts = [f"{host}:{port}", *address.names, *(f"{name}:{port}" for name in address.names)]
        if address.is_loopback:
            hosts += [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
        app = application(desk, known, hosts)
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on")
        listening(f"http://{host}:{port}{PATH}")
        uvicorn.Server(config).run(sockets=[there])


def _socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise PortTaken(address.host, address.port, error.strerror or str(error)) from None
