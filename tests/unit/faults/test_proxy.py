"""The proxy that fails on demand, between urllib3 and the standard library's own server."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import urllib3
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from tests.faults.faults import (
    Alter,
    Answer,
    BlackHole,
    CutAnswer,
    CutRequest,
    Delay,
    LoseAnswer,
    Slow,
    Stall,
)
from tests.faults.proxy import Proxy
from tests.registries.certificates import for_loopback
from tests.web_server import Handler, WebServer

BODY = bytes(range(256)) * 4


class Stand(Handler):
    """GET answers BODY, chunked below /chunked; PUT keeps what it is given."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path.startswith("/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if self.command == "HEAD":
                return
            for start in range(0, len(BODY), 300):
                piece = BODY[start : start + 300]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(BODY)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.stored.append(data)  # type: ignore[attr-defined]
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def stored() -> list[bytes]:
    return []


@pytest.fixture
def proxy(stored: list[bytes]) -> Iterator[Proxy]:
    with WebServer(Stand) as web, Proxy(web.server.server_address[:2]) as made:
        web.server.stored = stored  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def ask(proxy: Proxy):
    pool = urllib3.HTTPConnectionPool("127.0.0.1", proxy.port, retries=False, timeout=5)
    yield pool.request
    pool.close()


def test_a_request_that_is_late_comes_though_its_client_has_gone(tmp_path, stored) -> None:
    """A client that leaves the server's session tickets unread ends the connection by a reset."""
    identity = for_loopback(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity.certificate, identity.key)
    client = ssl.create_default_context(cafile=str(identity.authority))
    with WebServer(Stand) as web, Proxy(web.server.server_address[:2], tls=context) as proxy:
        web.server.stored = stored  # type: ignore[attr-defined]
        rule = proxy.on("PUT", "/", Delay(1))
        plain = socket.create_connection(("127.0.0.1", proxy.port))
        secure = client.wrap_socket(plain, server_hostname="127.0.0.1")
        secure.sendall(
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + bytes(50_000)
        )
        while not (rule.met and rule.met[0].up >= 50_000):
            time.sleep(0.01)
        secure.close()
        proxy.wait(lambda: rule.met[0].ended)
    assert stored == [bytes(50_000)]


@pytest.mark.parametrize("path", ["/", "/chunked"])
def test_all_is_well(ask, proxy: Proxy, path: str, stored) -> None:
    assert ask("GET", path).data == BODY
    assert ask("HEAD", path).data == b""
    assert ask("PUT", path, body=b"x" * 100_000).status == 201
    assert stored == [b"x" * 100_000]
    assert [(each.method, each.status) for each in proxy.log] == [
        ("GET", 200),
        ("HEAD", 200),
        ("PUT", 201),
    ]
    assert proxy.up > 100_000
    assert proxy.down > len(BODY)
    assert proxy.seen("PUT")[0].body == b"x" * 65_536


def test_an_answer_of_its_own(ask, proxy: Proxy, stored) -> None:
    rule = proxy.on("PUT", "/x", Answer(503, {"Retry-After": "1"}), times=2, skip=1)
    statuses = [ask("PUT", "/x", body=b"1").status for _ in range(4)]
    assert statuses == [201, 503, 503, 201]
    assert len(stored) == 2
    assert len(rule.met) == 2


def test_an_answer_in_place_of_the_servers(ask, proxy: Proxy, stored) -> None:
    proxy.on("PUT", "/", Answer(500, body=b"no", forwarded=True))
    assert ask("PUT", "/", body=b"1").data == b"no"
    assert stored == [b"1"]


def test_a_lost_answer(ask, proxy: Proxy, stored) -> None:
    proxy.on("PUT", "/", LoseAnswer())
    with pytest.raises(ProtocolError):
        ask("PUT", "/", body=b"1")
    assert stored == [b"1"]


def test_a_cut_request(ask, proxy: Proxy, stored) -> None:
    proxy.on("PUT", "/", CutRequest(after=10))
    with pytest.raises(ProtocolError):
        ask("PUT", "/", body=b"1" * 100_000)
    proxy.wait(lambda: proxy.log[0].ended)
    assert b"1" * 100_000 not in stored


@pytest.mark.parametrize("path", ["/", "/chunked"])
def test_a_cut_answer(ask, proxy: Proxy, path: str) -> None:
    proxy.on("GET", path, CutAnswer(after=700))
    answer = ask("GET", path, preload_content=False)
    got = bytearray()
    with pytest.raises((IncompleteRead, ProtocolError)):
        got.extend(byte for piece in answer.stream(100) for byte in piece)
    assert BODY.startswith(got)
    assert len(got) <= 700
    answer.close()


def test_an_altered_answer(ask, proxy: Proxy) -> None:
    proxy.on("*", "/", Alter(at=500))
    got = ask("GET", "/").data
    assert [index for index, (a, b) in enumerate(zip(got, BODY, strict=True)) if a != b] == [500]


@pytest.mark.parametrize("fault", [BlackHole(), Stall(after=100)])
def test_silence(ask, proxy: Proxy, fault) -> None:
    proxy.on("GET", "/", fault)
    with pytest.raises(ReadTimeoutError):
        ask("GET", "/", timeout=0.2)
    assert ask("GET", "/").data == BODY


def test_time(ask, proxy: Proxy) -> None:
    import time

    proxy.on("GET", "/slow", Slow(rate=len(BODY) / 0.2))
    proxy.on("GET", "/late", Delay(0.2))
    for path in ("/slow", "/late"):
        began = time.monotonic()
        assert ask("GET", path).data == BODY
        assert time.monotonic() - began > 0.19


def test_how_many_wait_at_once(ask, proxy: Proxy) -> None:
    assert proxy.at_once() == 0
    for path in ("/one", "/two"):
        ask("GET", path)
    assert proxy.at_once() == 1
    proxy.on("GET", "/late", Delay(0.3), times=3)
    threads = [threading.Thread(target=ask, args=("GET", f"/late{n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert proxy.at_once() == proxy.at_once("GET", "/late") == 3
    assert proxy.at_once("PUT") == 0


def test_frozen_connections_stay_silent_and_new_ones_work(ask, proxy: Proxy) -> None:
    ask("GET", "/")
    proxy.freeze()
    with pytest.raises(ReadTimeoutError):
        ask("GET", "/", timeout=0.2)
    assert ask("GET", "/").data == BODY


def test_down_and_up_again(ask, proxy: Proxy) -> None:
    ask("GET", "/")
    proxy.refuse()
    with pytest.raises((HTTPError, OSError)):
        ask("GET", "/")
    proxy.heal()
    assert ask("GET", "/").data == BODY


def test_as_a_forward_proxy(proxy: Proxy) -> None:
    with urllib3.ProxyManager(f"http://127.0.0.1:{proxy.port}", retries=False) as pool:
        assert pool.request("GET", "http://elsewhere.test/a?b=1").data == BODY
    assert proxy.log[0].target == "/a?b=1"
    assert proxy.log[0].headers["host"] == "elsewhere.test"
