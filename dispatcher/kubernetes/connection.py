"""How to reach a cluster, and the two encodings that what says so is written in."""

from __future__ import annotations

import base64
from typing import Any

from packer.record import Record

DEFAULT = "default"


class Connection(Record, frozen=True):
    """Everything a transport needs. Secret: never shown, never stored."""

    host: str
    """The server's URL."""
    namespace: str = DEFAULT
    source: str = ""
    """Where the credentials come from, in words."""
    authorization: str = ""
    """The value of the header."""
    ca: bytes = b""
    """PEM; empty for the system's."""
    certificate: bytes = b""
    key: bytes = b""
    """PEM of the client's own."""
    verify: bool = True
    server_name: str = ""
    proxy: str = ""


def basic(user: str, password: str) -> str:
    """The header of basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def decoded(value: Any) -> bytes:
    """The bytes of a field of a kubeconfig that ends in `-data`."""
    return base64.b64decode(value)
