"""Blobs on their way: whole, in pieces, and through everything that can happen to them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.registry import upload_session
from packer.registry.access import Access
from packer.registry.client import Client
from packer.registry.content import FileContent
from packer.registry.errors import (
    PushInterrupted,
    RedirectRefused,
    RegistryReadOnly,
    RegistryRefused,
)
from packer.registry.reference import Repository
from packer.registry.upload import Upload, mount, probe
from tests.faults.faults import (
    Answer,
    BlackHole,
    CutRequest,
    Extra,
    Fault,
    LoseAnswer,
)
from tests.faults.proxy import Proxy
from tests.registries.process import RegistryProcess

SIZE = 3_500_000
PIECE = 1_000_000

Make = Callable[..., FileContent]
Serve = Callable[..., RegistryProcess]


@pytest.fixture
def make(layout: Layout) -> Make:
    """A blob of so many random bytes in the layout."""

    def make(size: int = SIZE) -> FileContent:
        digest = layout.write(os.urandom(size))
        blob = Descriptor(digest=digest, size=size, media_type="application/octet-stream")
        return FileContent(blob, layout.path(digest), layout.verify)

    return make


def send(client: Client, content: FileContent, **options: object) -> list[int]:
    """Upload, see that it arrived, and return the amounts told on the way."""
    told: list[int] = []
    Upload(client, content, told.append, **options).run()
    assert b"".join(client.blob(content.blob)) == b"".join(content.span(0, content.blob.size))
    return told


def ranges(proxy: Proxy) -> list[str | None]:
    return [each.headers.get("content-range") for each in proxy.seen("PATCH")]


@pytest.mark.parametrize("size", [1, 1000, SIZE])
def test_a_small_blob_takes_two_requests(
    client: Client, make: Make, proxy: Proxy, size: int
) -> None:
    told = send(client, make(size))
    assert [each.method for each in proxy.log] == ["POST", "PUT", "GET"]
    assert sum(told) == size


def test_a_large_blob_goes_in_pieces(client: Client, make: Make, proxy: Proxy) -> None:
    told = send(client, make(), chunk=PIECE)
    assert ranges(proxy) == ["0-999999", "1000000-1999999", "2000000-2999999", "3000000-3499999"]
    assert proxy.seen("PUT")[0].headers["content-length"] == "0"
    assert sum(told) == SIZE


def test_the_least_that_a_registry_takes(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("POST", "", Extra({"OCI-Chunk-Min-Length": "2000000"}))
    send(client, make(), chunk=PIECE)
    assert ranges(proxy) == ["0-1999999", "2000000-3499999"]


each_fault = pytest.mark.parametrize(
    "fault",
    [
        Answer(500),
        Answer(502, body=b"<html>bad gateway"),
        Answer(429),
        LoseAnswer(),
        CutRequest(after=0),
        CutRequest(after=300_000),
    ],
)


@each_fault
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("chunk", [PIECE, 10 * SIZE])
def test_what_passes(  # noqa: PLR0917
    client: Client, make: Make, proxy: Proxy, fault: Fault, method: str, chunk: int
) -> None:
    rule = proxy.on(method, "uploads", fault, skip=1 if method == "PATCH" else 0)
    told = send(client, make(), chunk=chunk)
    assert len(rule.met) == (method != "PATCH" or chunk == PIECE)
    assert sum(told) == SIZE


@each_fault
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_passes_while_it_is_asked_what_it_has(
    client: Client, make: Make, proxy: Proxy, fault: Fault, method: str
) -> None:
    proxy.on("PATCH", "uploads", Answer(503), skip=3)
    rule = proxy.on(method, "blobs", fault, times=2)
    told = send(client, make(), chunk=PIECE)
    assert len(rule.met) == 2
    assert len(proxy.seen("POST")) == 1
    assert ranges(proxy)[3:] == ["3000000-3499999"] * 2
    assert sum(told) == SIZE


def test_a_registry_that_wants_time_is_given_it(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("PUT", "", Answer(429, {"Retry-After": "1"}))
    began = time.monotonic()
    send(client, make(1000))
    assert time.monotonic() - began >= 1


def test_pieces_that_arrived_are_not_sent_again(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("PATCH", "", CutRequest(after=0), skip=2)
    send(client, make(), chunk=PIECE)
    first, second, _, *rest = ranges(proxy)
    assert (first, second) == ("0-999999", "1000000-1999999")
    assert rest == ["2000000-2999999", "3000000-3499999"]
    assert len(proxy.seen("POST")) == 1
    assert proxy.seen("GET", "uploads")[0].status == 204


def test_where_an_upload_cannot_be_resumed_it_begins_anew(
    client: Client, make: Make, proxy: Proxy
) -> None:
    proxy.on("PATCH", "", CutRequest(after=500_000), skip=2)
    send(client, make(), chunk=PIECE)
    assert len(proxy.seen("POST")) == 2


def test_a_registry_says_that_it_has_more_than_we_know(
    client: Client, make: Make, proxy: Proxy
) -> None:
    """docker-registry cannot resume within a piece, so its answers are put in its mouth."""
    content = make()
    other = Client(client.repository, Access(patience=5), writes=True)
    begun = other.server.request("POST", other.at("blobs/uploads/"), other.scope)
    half = other.server.request(
        "PATCH",
        begun.headers.get("Location", ""),
        other.scope,
        {"Content-Length": str(SIZE // 2)},
        lambda: content.span(0, SIZE // 2),
    )
    status = {"Location": half.headers.get("Location", ""), "Range": f"0-{SIZE // 2 - 1}"}
    proxy.on("PATCH", "", CutRequest(after=0))
    proxy.on("GET", "uploads", Answer(204, status))
    proxy.forget()
    told = send(client, content, chunk=2 * PIECE)
    assert ranges(proxy) == ["0-1999999", f"{SIZE // 2}-3499999"]
    assert sum(told) == SIZE


def test_a_lost_end_is_not_sent_again(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("PUT", "", LoseAnswer())
    send(client, make())
    assert [each.method for each in proxy.log] == ["POST", "PUT", "HEAD", "GET"]


def test_a_blob_that_arrives_altered_is_sent_again(
    client: Client, make: Make, proxy: Proxy
) -> None:
    errors = b'{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}'
    proxy.on("PUT", "", Answer(400, {}, errors))
    send(client, make())
    assert len(proxy.seen("POST")) == 2


def test_a_cut_in_the_same_place_each_time(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("PATCH", "1000000-", CutRequest(after=1), times=0)
    content = make()
    rule = proxy.on("PATCH", "", CutRequest(after=1), times=10**6, skip=1)
    client.patience.seconds = 0.5
    with pytest.raises(PushInterrupted):
        send(client, content, chunk=PIECE)
    assert rule.met


def test_a_first_piece_that_always_arrives_and_a_second_that_never_does(
    client: Client, make: Make, proxy: Proxy
) -> None:
    for _ in range(20):
        proxy.on("PATCH", "", CutRequest(after=1), skip=1)
    with pytest.raises(PushInterrupted) as caught:
        send(client, make(), chunk=PIECE)
    assert "cut each time" in caught.value.evidence()
    assert len(proxy.seen("POST")) == 8


def test_a_registry_that_stays_away(repository: Repository, make: Make, proxy: Proxy) -> None:
    proxy.on("PUT", "", Answer(503, {"Retry-After": "0"}, b"no"), times=10**6)
    with pytest.raises(PushInterrupted) as caught:
        send(Client(repository, Access(patience=0.5), writes=True), make())
    error = caught.value
    assert error.retryable
    assert error.evidence() == "503 no"
    assert "for 0.5 s" in error.why()


def test_silence(client: Client, make: Make, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_session, "READ", 0.3)
    proxy.on("PUT", "", BlackHole())
    send(client, make(1000))
    assert len(proxy.seen("PUT")) == 2


def test_a_registry_with_relative_locations(serve: Serve, make: Make, path: str) -> None:
    with Proxy(("127.0.0.1", serve(relative=True).port)) as proxy:
        host = f"127.0.0.1:{proxy.port}"
        client = Client(Repository(host=host, path=path), Access(patience=2), writes=True)
        send(client, make(), chunk=PIECE)
        assert len(proxy.seen("PATCH")) == 4


def test_a_registry_that_takes_nothing(serve: Serve, make: Make, path: str) -> None:
    host = serve(read_only=True).host
    with pytest.raises(RegistryReadOnly) as caught:
        send(Client(Repository(host=host, path=path), Access(patience=1), writes=True), make())
    assert caught.value.retryable


def test_a_request_that_is_too_large(client: Client, make: Make, proxy: Proxy) -> None:
    proxy.on("PUT", "", Answer(413, {}, b"<h1>413 Request Entity Too Large</h1>"))
    with pytest.raises(RegistryRefused) as caught:
        send(client, make())
    assert "limits the size" in caught.value.why()


def test_an_upload_goes_to_no_unencrypted_address(client: Client) -> None:
    client.server.base = "https://registry.example.com"
    with pytest.raises(RedirectRefused):
        client.server.request("PUT", "http://elsewhere.example.com/x", client.scope)


def test_a_registry_behind_a_proxy_that_ends_tls(client: Client) -> None:
    client.server.base = "https://registry.example.com"
    calls_itself = "http://registry.example.com/v2/x?y=z"
    assert client.server.url(calls_itself) == "https://registry.example.com/v2/x?y=z"


def test_a_file_that_is_gone(client: Client, make: Make, layout: Layout) -> None:
    content = make()
    layout.path(content.blob.digest).unlink()
    with pytest.raises(BlobMissing):
        send(client, content)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1])]
)
def test_a_file_that_was_altered(
    client: Client, make: Make, layout: Layout, damage: Callable[[bytes], bytes]
) -> None:
    content = make()
    path = layout.path(content.blob.digest)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BlobAltered):
        send(client, content)


class TestMounting:
    @pytest.fixture
    def source(self, proxy: Proxy) -> Repository:
        return Repository(host=f"127.0.0.1:{proxy.port}", path="tests/mounted-from")

    @pytest.fixture
    def content(self, source: Repository, make: Make, proxy: Proxy) -> FileContent:
        content = make(1000)
        send(Client(source, Access(patience=2), writes=True), content)
        proxy.forget()
        return content

    def test_from_the_same_registry(
        self, client: Client, source: Repository, content: FileContent, proxy: Proxy
    ) -> None:
        assert mount(client, content.blob.digest, source) is None
        assert client.has_blob(content.blob.digest)
        assert [each.method for each in proxy.log] == ["POST", "HEAD"]

    def test_what_the_source_does_not_have(self, client: Client, source: Repository) -> None:
        assert mount(client, Digest.of(b"nothing"), source)

    @pytest.mark.parametrize("status", [401, 403, 400, 404, 405])
    def test_registries_that_do_not_mount(
        self, client: Client, source: Repository, content: FileContent, proxy: Proxy, status: int
    ) -> None:
        proxy.on("POST", "mount=", Answer(status, {}, b"no"))
        location = mount(client, content.blob.digest, source)
        assert location == ""
        send(client, content, location=location)

    def test_an_upload_begun_by_it_is_used(
        self, client: Client, source: Repository, make: Make, proxy: Proxy
    ) -> None:
        content = make(1000)
        location = mount(client, content.blob.digest, source)
        send(client, content, location=location)
        assert [each.method for each in proxy.log] == ["POST", "PUT", "GET"]


def test_a_probe_leaves_no_upload_behind(client: Client, proxy: Proxy) -> None:
    probe(client)
    assert [(each.method, each.status) for each in proxy.log] == [("POST", 202), ("DELETE", 204)]
    begun = proxy.log[-1].target
    assert client.server.request("GET", begun, client.scope).status == 404
