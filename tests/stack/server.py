"""What a server of the stack is: a command, its files, and how it says that it is well."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Server:
    name: str
    command: tuple[str, ...]
    health: str
    """`http(s)://HOST:PORT/PATH` that answers 200, or `unix:///SOCKET` that accepts."""
    files: Mapping[Path, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[Path, ...] = ()
    """What a killed one leaves that would keep it from starting again."""


def ailment(health: str) -> str | None:
    """Why whatever answers at `health` is not well, or None where it is."""
    url = urlsplit(health)
    try:
        if url.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(3)
                probe.connect(url.path)
            return None
        if url.scheme == "docker":
            return _engine(url.path)
        return _asked(url.scheme, url.netloc, url.path)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"


def _engine(path: str) -> str | None:
    """An engine answers before it has found its containerd again, and then can't pull."""
    connection = http.client.HTTPConnection("localhost", timeout=3)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(3)
        stream.connect(path)
        connection.sock = stream
        connection.request("GET", "/version")
        told = connection.getresponse().read().decode(errors="replace")
    return None if '"containerd"' in told else "it has no containerd"


def _asked(scheme: str, address: str, path: str) -> str | None:
    connection: http.client.HTTPConnection
    if scheme == "https":
        # Loopback, and all that is asked is whether it is well.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(address, timeout=3, context=context)
    else:
        connection = http.client.HTTPConnection(address, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    finally:
        connection.close()
    return None if answer.status == 200 else f"HTTP {answer.status}: {body.strip()[-200:]}"
