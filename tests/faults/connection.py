"""One client's connection through the proxy."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from tests.faults.exchange import Exchange
from tests.faults.faults import (
    Alter,
    Answer,
    BlackHole,
    CutAnswer,
    CutRequest,
    Delay,
    Extra,
    Fault,
    LoseAnswer,
    Slow,
    Stall,
)
from tests.faults.wire import Ended, Head, Reader, close, has_no_body

if TYPE_CHECKING:
    from tests.faults.proxy import Proxy


class Connection:
    """Hands requests on one by one, with a connection to the server of its own."""

    def __init__(self, client: socket.socket, proxy: Proxy) -> None:
        self._client, self._proxy = client, proxy
        self._requests = Reader(client)
        self._server: socket.socket | None = None
        self.frozen = False
        self._answers: Reader | None = None

    def serve(self) -> None:
        """Until the client leaves, or a fault ends it."""
        while self._exchange():
            pass

    def cut(self) -> None:
        """End both sides at once."""
        close(self._client)
        if self._server:
            close(self._server)

    def _exchange(self) -> bool:
        """One request; False where the connection does not go on."""
        head = self._requests.head()
        exchange = _begun(head)
        fault = self._proxy.begin(exchange)
        try:
            if exchange.method == "CONNECT":
                self._client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                exchange.status = 200
                return self._tunnel(exchange)
            return self._with(fault, head, exchange)
        finally:
            self._proxy.end(exchange)

    def _with(self, fault: Fault | None, head: Head, exchange: Exchange) -> bool:
        if isinstance(fault, BlackHole):
            return self._silence()
        if head.get("Expect"):
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if isinstance(fault, Answer) and not fault.forwarded:
            for _ in self._body(head, exchange):
                pass
            return self._answer(fault, exchange)
        if not self._forward(head, exchange, fault):
            return False
        return self._return(exchange, fault)

    def _body(self, head: Head, exchange: Exchange) -> Iterator[bytes]:
        for piece, _ in self._requests.body(head):
            self._received(exchange, piece)
            yield piece

    def _forward(self, head: Head, exchange: Exchange, fault: Fault | None) -> bool:
        """Give the server the request; False where the fault was to stop in the middle."""
        body = self._body(head, exchange)
        if isinstance(fault, Delay):
            # It is on its way, whether or not its client waits for it: a reset would take it back.
            body = iter(list(body))
            self._proxy.closing.wait(fault.seconds)
        server = self._upstream()
        start = f"{exchange.method} {exchange.target} HTTP/1.1"
        server.sendall(bytes(Head(start, head.without("Expect").headers)))
        left = fault.after if isinstance(fault, CutRequest) else None
        pace = _Pace(fault)
        refused = False
        for piece in body:
            if left is not None and len(piece) >= left:
                server.sendall(piece[:left])
                return False
            left = left - len(piece) if left is not None else None
            pace(len(piece), self._proxy.closing)
            if not refused:
                # A server may answer and stop reading: the answer is still the client's to see.
                refused = not _sent(server, piece)
        return not isinstance(fault, CutRequest)

    def _return(self, exchange: Exchange, fault: Fault | None) -> bool:
        """Give the client the server's answer."""
        answers = self._answers
        assert answers is not None
        head = answers.head()
        while head.start.split()[1] in ("100", "102", "103"):
            head = answers.head()
        status = int(head.start.split()[1])
        bodiless = has_no_body(exchange.method, status)
        body = () if bodiless else answers.body(head, to_the_end=True)
        if isinstance(fault, (LoseAnswer, Answer)):
            for _ in body:
                pass
            return self._answer(fault, exchange) if isinstance(fault, Answer) else False
        exchange.status = status
        if isinstance(fault, Extra):
            head = Head(head.start, (*head.headers, *fault.headers.items()))
        self._send(bytes(head), exchange)
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            return self._tunnel(exchange)
        if not self._pass(body, exchange, fault):
            return False
        framed = bodiless or head.get("Content-Length") or head.get("Transfer-Encoding")
        return bool(framed) and "close" not in head.get("Connection").lower()

    def _pass(
        self, body: Iterable[tuple[bytes, int]], exchange: Exchange, fault: Fault | None
    ) -> bool:
        """The answer's body; False where the connection ended on the way."""
        position, pace = 0, _Pace(fault)
        stop = fault.after if isinstance(fault, (CutAnswer, Stall)) else None
        if stop == 0:
            return self._stopped(fault)
        for piece, content in body:
            if stop is not None and content and position + content >= stop:
                self._send(piece[: stop - position], exchange)
                return self._stopped(fault)
            sent = piece
            if isinstance(fault, Alter) and position <= fault.at < position + content:
                at = fault.at - position
                sent = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
            pace(len(sent), self._proxy.closing)
            self._send(sent, exchange)
            position += content
        return not isinstance(fault, (CutAnswer, Stall))

    def _stopped(self, fault: Fault | None) -> bool:
        return self._silence() if isinstance(fault, Stall) else False

    def _answer(self, fault: Answer, exchange: Exchange) -> bool:
        exchange.status = fault.status
        try:
            phrase = HTTPStatus(fault.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = {"Content-Length": str(len(fault.body)), **fault.headers}
        body = b"" if exchange.method == "HEAD" else fault.body
        head = Head(f"HTTP/1.1 {fault.status} {phrase}", tuple(headers.items()))
        self._send(bytes(head) + body, exchange)
        return not fault.cut

    def _thaw(self) -> None:
        if self.frozen:
            self._proxy.closing.wait()
            raise Ended("the connection is frozen")

    def _silence(self) -> bool:
        """Stay open and say nothing, until the client leaves."""
        for _ in self._requests.rest():
            pass
        return False

    def _tunnel(self, exchange: Exchange) -> bool:
        """Bytes in both directions, until one side ends."""
        server = self._upstream()
        up = threading.Thread(target=self._upwards, args=(server, exchange), daemon=True)
        up.start()
        assert self._answers is not None
        for piece in self._answers.rest():
            self._send(piece, exchange)
        close(self._client)
        up.join(10)
        return False

    def _upwards(self, server: socket.socket, exchange: Exchange) -> None:
        with suppress(OSError):
            for piece in self._requests.rest():
                self._received(exchange, piece)
                server.sendall(piece)
        close(server)

    def _upstream(self) -> socket.socket:
        if not self._server:
            self._server = self._proxy.dial()
            self._answers = Reader(self._server)
        return self._server

    def _received(self, exchange: Exchange, piece: bytes) -> None:
        self._thaw()
        exchange.read(piece)

    def _send(self, data: bytes, exchange: Exchange) -> None:
        self._thaw()
        exchange.answer()
        self._client.sendall(data)
        exchange.down += len(data)


class _Pace:
    """Holds back what goes faster than a `Slow` fault lets it."""

    def __init__(self, fault: Fault | None) -> None:
        self._rate = fault.rate if isinstance(fault, Slow) else 0.0
        self._began, self._passed = time.monotonic(), 0

    def __call__(self, amount: int, closing: threading.Event) -> None:
        if not self._rate:
            return
        self._passed += amount
        due = self._began + self._passed / self._rate
        closing.wait(max(0.0, due - time.monotonic()))


def _begun(head: Head) -> Exchange:
    method, target, *_ = head.start.split()
    if "://" in target:
        # As a forward proxy is asked (RFC 9112, section 3.2.2).
        target = "/" + target.partition("://")[2].partition("/")[2]
    headers = {key.lower(): value for key, value in head.headers}
    return Exchange(method, target, headers, up=len(bytes(head)))


def _sent(server: socket.socket, piece: bytes) -> bool:
    try:
        server.sendall(piece)
    except OSError:
        return False
    return True
