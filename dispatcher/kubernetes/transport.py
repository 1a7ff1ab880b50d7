"""Connections to a cluster as urllib3 makes them."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from dispatcher.kubernetes.connection import Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured
from packer import proxies

_POOL = 8
# A peer that vanished is noticed in half a minute; a proxy may still answer for it.
_KEEPALIVE = (
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 15),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 5),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
)

_LOGIN = re.compile(r"(?<=://).*@")
_WAY = "kubectl proxy --port 8001, and a kubeconfig with server: http://127.0.0.1:8001"
"""kubectl goes through SOCKS."""


def pool(connection: Connection) -> urllib3.PoolManager:
    """A pool for one cluster, which neither retries nor follows redirects.

    Raises:
        ClusterNotConfigured: a certificate or key cannot be read, or the proxy is of no use.
    """
    options: dict[str, Any] = {
        "maxsize": _POOL,
        "retries": False,
        "socket_options": list(_KEEPALIVE),
        "headers": {"Authorization": connection.authorization} if connection.authorization else {},
    }
    if connection.host.startswith("https:"):
        options["ssl_context"] = _tls(connection)
        if not connection.verify:
            options["assert_hostname"] = False
        if connection.server_name:
            options["server_hostname"] = connection.server_name
            options["assert_hostname"] = connection.server_name
    scheme, _, rest = connection.host.partition("://")
    # Of ALL_PROXY kubectl, and whatever else is made of Go, knows nothing.
    proxy = connection.proxy or proxies.of_environment(rest.partition("/")[0], scheme)
    try:
        return proxies.pool(proxy, **options)
    except urllib3.exceptions.LocationValueError as error:
        source = connection.source if connection.proxy else f"the environment ({scheme}_proxy)"
        raise _unusable(proxy, source) from error


def _unusable(proxy: str, source: str) -> ClusterNotConfigured:
    reason = "sendoff reaches clusters by HTTP proxies alone, and this one is another"
    shown = _LOGIN.sub("", proxy)
    return ClusterNotConfigured(reason, f"the proxy {shown} of {source}", _WAY)


def _tls(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=connection.ca.decode() or None)
        if not connection.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if connection.certificate:
            with _private(connection.certificate + b"\n" + connection.key) as path:
                context.load_cert_chain(path)
    except (ssl.SSLError, ValueError) as error:
        reason = "a certificate of the kubeconfig cannot be read"
        raise ClusterNotConfigured(reason, f"{connection.source}: {error}") from error
    return context


@contextlib.contextmanager
def _private(content: bytes) -> Iterator[str]:
    """A file that only we can read, as OpenSSL takes no key from memory."""
    descriptor, path = tempfile.mkstemp()
    try:
        os.write(descriptor, content)
        os.close(descriptor)
        yield path
    finally:
        Path(path).unlink()
