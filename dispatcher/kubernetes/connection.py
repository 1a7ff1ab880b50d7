"""How to reach a cluster."""

from __future__ import annotations

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
