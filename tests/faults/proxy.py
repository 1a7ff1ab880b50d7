"""A real proxy between a client and a server, which fails when a test says so.

    with Proxy(("127.0.0.1", port)) as proxy:
        proxy.on("PUT", r"/blobs/uploads/", LoseAnswer())
        use(f"http://127.0.0.1:{proxy.port}")
        assert [exchange.status for exchange in proxy.seen("PUT")] == [0, 201]

Requests keep their Host header, so signed requests and absolute `Location`s work through it. It
speaks TLS on either side where it is given a context, hands upgraded connections (101, CONNECT) on
byte by byte, and takes requests with an absolute target, so it also serves as `http_proxy`.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.faults.connection import Connection
from tests.faults.exchange import Exchange
from tests.faults.faults import Fault
from tests.faults.wire import close


@dataclass
class Rule:
    """Which requests meet a fault. Made by `Proxy.on`."""

    method: str
    pattern: str
    fault: Fault
    times: int
    skip: int
    met: list[Exchange] = field(default_factory=list)
    """The requests that it met, in order."""

    def matches(self, method: str, target: str) -> bool:
        return self.method in ("*", method) and bool(re.search(self.pattern, target))


class Proxy:
    """Listens on a free port, of the loopback by default, and hands on to `upstream`."""

    def __init__(
        self,
        upstream: tuple[str, int],
        *,
        tls: ssl.SSLContext | None = None,
        upstream_tls: ssl.SSLContext | None = None,
        upstream_name: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """`tls` is the server side towards clients; `upstream_tls` the client side towards the
        server, whose certificate must then be for `upstream_name` (else the upstream's host).
        It listens at `host`, one of this machine's own addresses.
        """
        self.upstream = upstream
        self._tls, self._upstream_tls = tls, upstream_tls
        self._upstream_name = upstream_name or upstream[0]
        self._rules: list[Rule] = []
        self._log: list[Exchange] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._connections: set[Connection] = set()
        self._refusing = False
        self.closing = threading.Event()
        self._listener = socket.create_server((host, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        close(self._listener)
        self.cut()
        self._acceptor.join(10)
        for thread in self._threads:
            thread.join(10)

    # What a test asks for.

    def on(self, method: str, pattern: str, fault: Fault, *, times: int = 1, skip: int = 0) -> Rule:
        """The next `times` requests that match meet `fault`, after `skip` that go well.

        `method` may be "*"; `pattern` is searched for in the target, which is path and query.
        Rules are asked in the order they were made, and the first one that matches decides.
        """
        rule = Rule(method, pattern, fault, times, skip)
        with self._changed:
            self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """Forget all rules and take new connections again."""
        with self._changed:
            self._rules.clear()
            self._refusing = False

    def refuse(self) -> None:
        """Be down: end every connection, and every new one at once, until `heal`."""
        self._refusing = True
        self.cut()

    def cut(self) -> None:
        """End every connection that is open now."""
        with self._changed:
            open_now = list(self._connections)
        for connection in open_now:
            connection.cut()

    def freeze(self) -> None:
        """Let every connection that is open now go silent for good; new ones work."""
        with self._changed:
            for connection in self._connections:
                connection.frozen = True

    # What a test may know.

    @property
    def log(self) -> list[Exchange]:
        """Every request so far, in the order in which their heads arrived."""
        with self._changed:
            return list(self._log)

    def seen(self, method: str = "*", pattern: str = "") -> list[Exchange]:
        """The requests so far that match, as `on` would match them."""
        rule = Rule(method, pattern, Fault(), 0, 0)
        return [each for each in self.log if rule.matches(each.method, each.target)]

    def at_once(self, method: str = "*", pattern: str = "") -> int:
        """The most requests that match, as in `seen`, which waited for an answer at one time."""
        seen = self.seen(method, pattern)
        return max((sum(_waits(each, one.began) for each in seen) for one in seen), default=0)

    def forget(self) -> None:
        """Empty the log."""
        with self._changed:
            self._log.clear()

    @property
    def up(self) -> int:
        """Bytes that clients sent, heads and bodies, of the requests in the log."""
        return sum(exchange.up for exchange in self.log)

    @property
    def down(self) -> int:
        """Bytes that clients were given, of the requests in the log."""
        return sum(exchange.down for exchange in self.log)

    def wait(self, condition: Callable[[], bool], timeout: float = 30) -> None:
        """Wait until `condition()` holds; it is asked whenever a request begins or ends."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"not within {timeout} s; {len(self._log)} requests so far")

    # What a connection asks for.

    def begin(self, exchange: Exchange) -> Fault | None:
        """Record a request and say what becomes of it."""
        with self._changed:
            self._log.append(exchange)
            exchange.fault = self._fault(exchange)
            self._changed.notify_all()
            return exchange.fault

    def end(self, exchange: Exchange) -> None:
        """Record that an exchange is over."""
        with self._changed:
            exchange.answer()
            exchange.ended = True
            self._changed.notify_all()

    def dial(self) -> socket.socket:
        """A new connection to the server."""
        plain = socket.create_connection(self.upstream, timeout=30)
        plain.settimeout(None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._upstream_tls:
            return plain
        return self._upstream_tls.wrap_socket(plain, server_hostname=self._upstream_name)

    def _fault(self, exchange: Exchange) -> Fault | None:
        for rule in self._rules:
            if not rule.matches(exchange.method, exchange.target) or not rule.times:
                continue
            if rule.skip:
                rule.skip -= 1
                return None
            rule.times -= 1
            rule.met.append(exchange)
            return rule.fault
        return None

    def _accept(self) -> None:
        for client in self._arrivals():
            if self._refusing or self.closing.is_set():
                close(client)
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _arrivals(self) -> Iterator[socket.socket]:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield client

    def _serve(self, client: socket.socket) -> None:
        if self._tls:
            try:
                client = self._tls.wrap_socket(client, server_side=True)
            except OSError:
                client.close()
                return
        connection = Connection(client, self)
        with self._changed:
            self._connections.add(connection)
        try:
            with suppress(OSError):
                connection.serve()
        finally:
            connection.cut()
            with self._changed:
                self._connections.discard(connection)


def _waits(exchange: Exchange, moment: float) -> bool:
    return exchange.began <= moment and not 0 < exchange.answered <= moment
