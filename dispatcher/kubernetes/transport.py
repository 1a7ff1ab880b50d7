"""Connections to a cluster as urllib3 makes them."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from dispatcher.kubernetes.connection import Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured

_POOL = 8
# A peer that vanished is noticed in half a minute; a proxy may still answer for it.
_KEEPALIVE = (
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 15),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 5),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
)


def pool(connection: Connection) -> urllib3.PoolManager:
    """A pool for one cluster, which neither retries nor follows redirects.

    Raises:
        ClusterNotConfigured: a certificate or key cannot be read.
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
    proxy = connection.proxy or _proxy(connection.host)
    if proxy:
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


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


def _proxy(host: str) -> str:
    """What the environment says (`HTTPS_PROXY`, `NO_PROXY`)."""
    scheme, _, rest = host.partition("://")
    name = rest.partition("/")[0]
    found = urllib.request.getproxies().get(scheme, "")
    return "" if not found or urllib.request.proxy_bypass(name) else found
