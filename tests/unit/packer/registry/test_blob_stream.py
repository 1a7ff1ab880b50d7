"""Blobs that arrive while they are made, through everything that can happen to them."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from packer.digest import Digest
from packer.images.descriptor import Descriptor
from packer.layers.shared_layers import StreamLost
from packer.registry.access import Access
from packer.registry.blob_stream import BlobStream
from packer.registry.client import Client
from packer.registry.errors import PushInterrupted, RegistryReadOnly
from tests.faults.faults import Answer, CutRequest, Fault, LoseAnswer
from tests.faults.proxy import Proxy

PIECE = 1_000_000
DATA = os.urandom(3_500_000)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as started:
        yield started


@pytest.fixture
def stream(client: Client, pool: ThreadPoolExecutor) -> BlobStream:
    return BlobStream(client, pool, PIECE)


def send(stream: BlobStream, client: Client, data: bytes = DATA) -> None:
    """Write it in steps that are no part of a piece, and see that it arrived."""
    for start in range(0, len(data), 300_000):
        stream.write(data[start : start + 300_000])
    digest = Digest.of(data)
    stream.commit(digest)
    assert stream.committed
    blob = Descriptor(digest=digest, size=len(data), media_type="application/octet-stream")
    assert b"".join(client.blob(blob)) == data


def test_pieces_go_while_more_is_written(stream: BlobStream, client: Client, proxy: Proxy) -> None:
    send(stream, client)
    ranges = [each.headers.get("content-range") for each in proxy.seen("PATCH")]
    assert ranges == ["0-1199999", "1200000-2399999", "2400000-3499999"]
    assert [each.method for each in proxy.log] == ["POST", *["PATCH"] * 3, "PUT", "GET"]


def test_a_few_bytes_are_a_piece(stream: BlobStream, client: Client, proxy: Proxy) -> None:
    send(stream, client, b"few")
    assert [each.method for each in proxy.log] == ["POST", "PATCH", "PUT", "GET"]


@pytest.mark.parametrize(
    ("method", "skip", "fault"),
    [
        ("POST", 0, CutRequest(0)),
        ("PATCH", 0, CutRequest(500_000)),
        ("PATCH", 0, LoseAnswer()),
        ("PATCH", 1, CutRequest(0)),
        ("PATCH", 1, Answer(503)),
        ("PUT", 0, CutRequest(0)),
        ("PUT", 0, LoseAnswer()),
        ("PUT", 0, Answer(429, {"Retry-After": "0"})),
    ],
    ids=str,
)
def test_what_breaks_goes_on(  # noqa: PLR0917
    stream: BlobStream, client: Client, proxy: Proxy, method: str, skip: int, fault: Fault
) -> None:
    proxy.on(method, "/blobs/uploads/", fault, skip=skip)
    send(stream, client)


@pytest.mark.parametrize("broken", ["PATCH", "PUT"])
@pytest.mark.parametrize("fault", [CutRequest(0), LoseAnswer(), Answer(503)], ids=str)
def test_what_breaks_while_it_is_asked_what_it_has_goes_on(
    stream: BlobStream, client: Client, proxy: Proxy, broken: str, fault: Fault
) -> None:
    proxy.on(broken, "/blobs/uploads/", Answer(503))
    rules = [proxy.on("GET", "/blobs/uploads/", fault)]
    if broken == "PUT":
        rules.append(proxy.on("HEAD", "/blobs/", fault))
    send(stream, client)
    assert all(rule.met for rule in rules)
    assert len(proxy.seen("POST")) == 1


@pytest.mark.parametrize("fault", [CutRequest(500_000), LoseAnswer()], ids=str)
def test_what_the_registry_forgets_is_lost(
    stream: BlobStream, client: Client, proxy: Proxy, fault: Fault
) -> None:
    """docker-registry gives an upload up that was cut within a piece."""
    proxy.on("PATCH", "/blobs/uploads/", fault, skip=1)
    with pytest.raises(StreamLost, match="0 of 1200000 bytes"):
        send(stream, client)
    assert not stream.committed


def test_a_registry_that_got_half_a_piece_gets_the_other(
    stream: BlobStream, client: Client, pool: ThreadPoolExecutor, proxy: Proxy
) -> None:
    """docker-registry can't say so, so its answers are put in its mouth."""
    other = BlobStream(Client(client.repository, Access(), writes=True), pool, PIECE)
    other.write(DATA[:1_000_001])
    other._wait()
    status = {"Location": other._session.location, "Range": "0-1000000"}
    proxy.on("PATCH", "", CutRequest(0))
    proxy.on("GET", "uploads", Answer(204, status))
    proxy.forget()
    send(stream, client)
    ranges = [each.headers.get("content-range") for each in proxy.seen("PATCH")]
    assert ranges[:2] == ["0-1199999", "1000001-1199999"]


def test_a_registry_that_takes_no_pieces_is_told_so(
    stream: BlobStream, client: Client, proxy: Proxy
) -> None:
    proxy.on("PATCH", "/blobs/uploads/", Answer(400), times=9)
    with pytest.raises(StreamLost, match="400"):
        send(stream, client)


def test_other_bytes_than_were_named(stream: BlobStream) -> None:
    stream.write(DATA)
    with pytest.raises(StreamLost, match="DIGEST_INVALID"):
        stream.commit(Digest.of(b"something else"))


def test_a_registry_that_is_read_only_is_an_error(
    stream: BlobStream, client: Client, proxy: Proxy
) -> None:
    proxy.on("POST", "/blobs/uploads/", Answer(405))
    with pytest.raises(RegistryReadOnly):
        send(stream, client)


def test_one_that_stays_away_is_waited_for_as_long_as_anything(
    client: Client, pool: ThreadPoolExecutor, proxy: Proxy
) -> None:
    client.patience.seconds = 0.3
    proxy.on("PATCH", "/blobs/uploads/", Answer(503), times=1_000)
    with pytest.raises(PushInterrupted):
        send(BlobStream(client, pool, PIECE), client)


def test_what_is_abandoned_is_taken_back(stream: BlobStream, proxy: Proxy) -> None:
    stream.write(DATA)
    stream.abandon()
    (begun,) = proxy.seen("POST")
    (ended,) = proxy.seen("DELETE")
    assert ended.target.startswith(begun.target)
    assert ended.status == 204


def test_the_same_blob_twice_at_once(client: Client, pool: ThreadPoolExecutor) -> None:
    data = hashlib.sha256(uuid.uuid4().bytes).digest() * 50_000
    streams = [BlobStream(client, pool, PIECE) for _ in range(2)]
    for stream in streams:
        stream.write(data)
    for stream in streams:
        stream.commit(Digest.of(data))
    assert client.has_blob(Digest.of(data))
