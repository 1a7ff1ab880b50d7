"""The store in a bucket: a real one, through a proxy that fails when asked to."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from dispatcher.runner import s3_patience, s3_upload
from dispatcher.runner.address import S3Address
from dispatcher.runner.s3_store import S3Store
from dispatcher.runner.store import DirectoryStore, Exists, Missing
from dispatcher.runner.store_faults import (
    BucketMissing,
    ClockSkew,
    StoreDenied,
    StoreRefused,
    StoreUnreachable,
)
from tests import minio
from tests.faults.faults import (
    Answer,
    BlackHole,
    CutAnswer,
    CutRequest,
    Delay,
    LoseAnswer,
    Slow,
)
from tests.faults.proxy import Proxy

MB = 1 << 20
XML = {"Content-Type": "application/xml"}
AWKWARD = [
    b"new\nline",
    b"\xff\xfe raw",
    "ümläut €".encode(),
    b"x" * 250,
    b"..hidden",
    b"a b",
    b"a%0Ab",
    b"a\nb",
    b"back\\slash",
    b"q?&=#+;:@,",
    b"'\"<>",
    b"\x01\x7f",
]


def other(store: S3Store, user: str = minio.USER, password: str = minio.PASSWORD, **parts: str):
    """The same store as somebody else sees it."""
    from minio.credentials.providers import StaticProvider

    url = parts.get("url", store.root)
    return S3Store(S3Address(url, minio.REGION), StaticProvider(user, password))


@pytest.fixture(params=["bucket", "directory"])
def any_store(request, tmp_path):
    """Both stores do the same."""
    if request.param == "directory":
        return DirectoryStore(str(tmp_path / "store"))
    return request.getfixturevalue("store")


def test_a_key_is_written_once(any_store):
    any_store.put_new("runs/a/x", b"first")
    with pytest.raises(Exists):
        any_store.put_new("runs/a/x", b"second")
    # Even the same bytes: they were somebody else's.
    with pytest.raises(Exists):
        any_store.put_new("runs/a/x", b"first")
    assert any_store.get("runs/a/x") == b"first"


def test_values_are_read_whole_and_in_part(any_store):
    any_store.put("k", b"0123456789")
    assert any_store.get("k") == b"0123456789"
    assert any_store.get("k", 7) == b"789"
    assert any_store.get("k", 10) == any_store.get("k", 99) == b""
    with any_store.open("k", 4) as stream:
        assert stream.read(3) == b"456"
        assert stream.read() == b"789"
    assert any_store.size("k") == 10
    any_store.put("k", b"")
    assert (any_store.size("k"), any_store.get("k"), any_store.has("k")) == (0, b"", True)


def test_what_is_not_there(any_store):
    assert not any_store.has("no/such")
    assert any_store.size("no/such") is None
    assert any_store.names("no/") == []
    assert list(any_store.list("no/")) == []
    for read in (any_store.get, any_store.open):
        with pytest.raises(Missing):
            read("no/such")


def test_names_and_keys_are_listed(any_store):
    for key in ("r/a/1/x", "r/a/2/y", "r/a/z", "r/b/1", "rest"):
        any_store.put(key, b"")
    assert any_store.names("r/") == ["a", "b"]
    assert any_store.names("r/a/") == ["1", "2", "z"]
    assert sorted(any_store.list("r/a/")) == ["r/a/1/x", "r/a/2/y", "r/a/z"]


def test_more_names_than_a_page_has(store):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"many/{number:04}", b""), range(1005)))
    assert store.names("many/") == [f"{number:04}" for number in range(1005)]


@pytest.mark.parametrize("name", AWKWARD)
def test_names_of_every_kind(any_store, name):
    key = "runs/a/files/" + os.fsdecode(name)
    any_store.put(key, name)
    assert any_store.get(key) == name
    assert any_store.size(key) == len(name)
    assert len(any_store.names("runs/a/files/")) == 1


@pytest.mark.parametrize("size", [0, 1, 8 * MB - 1, 8 * MB, 8 * MB + 1, 25 * MB])
@pytest.mark.parametrize("piece", [999_983, 8 * MB])
def test_large_values_come_in_parts(store, proxy, size, piece):
    data = os.urandom(MB) * (size // MB + 1)
    upload = store.upload("large", size)
    for start in range(0, size, piece):
        upload.write(data[start : min(start + piece, size)])
    assert not store.has("large")
    upload.commit()
    assert store.get("large") == data[:size]
    parts = proxy.seen("PUT", "partNumber")
    assert len(parts) == (0 if size < 8 * MB else -(-size // (8 * MB)))
    # An upload in parts is never conditional.
    assert not any("if-none-match" in each.headers for each in proxy.log)


def test_several_parts_are_under_way_and_never_more_than_four(store, proxy):
    proxy.on("PUT", "partNumber", Delay(0.1), times=99)
    data = os.urandom(8 * MB) * 9
    upload = store.upload("large", len(data))
    for start in range(0, len(data), MB):
        upload.write(data[start : start + MB])
    upload.commit()
    assert store.get("large") == data
    assert len(proxy.seen("PUT", "partNumber")) == 9
    assert 2 <= proxy.at_once("PUT", "partNumber") <= s3_upload._UNDER_WAY == 4


def test_an_abandoned_upload_leaves_nothing(store):
    upload = store.upload("large")
    upload.write(os.urandom(20 * MB))
    upload.abandon()
    assert not store.has("large")
    assert store.bucket.unfinished(store._address.name("large")) == ("", {})


def test_a_huge_value_has_no_more_parts_than_s3_allows(store):
    assert store.upload("huge", 100 << 30).piece * 10_000 > 100 << 30


# What is on the wire


def test_the_condition_is_a_header_of_its_own(store, proxy):
    store.put_new("once", b"1")
    (sent,) = proxy.seen("PUT", "once")
    assert sent.headers["if-none-match"] == "*"
    assert "if-none-match" in sent.headers["authorization"]
    assert not [name for name in sent.headers if name.startswith("x-amz-meta")]


def test_nobody_is_asked_where_the_bucket_is(store, proxy):
    store.put("k", b"")
    store.names("")
    assert not proxy.seen("*", "location")


# Faults


def test_a_lost_answer_to_a_write_is_no_loss(store, proxy):
    rule = proxy.on("PUT", "once", LoseAnswer())
    store.put_new("once", b"mine")
    assert rule.met
    assert [each.status for each in proxy.seen("PUT", "once")] == [0, 412]
    assert store.get("once") == b"mine"


def test_a_lost_answer_does_not_make_ours_what_is_not(store, proxy):
    store.put_new("once", b"theirs")
    proxy.on("PUT", "once", Answer(500))
    with pytest.raises(Exists):
        store.put_new("once", b"mine")
    assert store.get("once") == b"theirs"


def test_two_conditional_writes_at_once_are_tried_again(store, proxy):
    body = b"<Error><Code>ConditionalRequestConflict</Code><Message>later</Message></Error>"
    rule = proxy.on("PUT", "once", Answer(409, XML, body))
    store.put_new("once", b"mine")
    assert rule.met
    assert store.get("once") == b"mine"


@pytest.mark.parametrize("fault", [CutRequest(after=1000), LoseAnswer(), Answer(503), Answer(500)])
def test_a_part_that_fails_is_sent_again(store, proxy, fault):
    data = os.urandom(20 * MB)
    rule = proxy.on("PUT", "partNumber=2", fault)
    upload = store.upload("large")
    upload.write(data)
    upload.commit()
    assert rule.met
    assert store.get("large") == data


@pytest.mark.parametrize("forwarded", [True, False])
def test_a_lost_answer_to_the_end_of_an_upload_is_no_loss(store, proxy, forwarded):
    rule = proxy.on("POST", "uploadId", LoseAnswer() if forwarded else Answer(500))
    upload = store.upload("large")
    upload.write(b"x" * 20 * MB)
    upload.commit()
    assert rule.met
    assert store.size("large") == 20 * MB


def test_reading_goes_on_after_a_cut(store, proxy):
    data = os.urandom(5 * MB)
    store.put("large", data)
    proxy.on("GET", "large", CutAnswer(after=2 * MB), times=2)
    assert store.get("large") == data
    again = proxy.seen("GET", "large")[1:]
    assert [each.headers["range"] for each in again] == [
        f"bytes={start}-" for start in sorted(int(each.headers["range"][6:-1]) for each in again)
    ]
    with store.open("large", 7) as stream:
        proxy.on("GET", "large", CutAnswer(after=MB))
        assert stream.read() == data[7:]


def test_an_object_that_is_replaced_while_it_is_read_is_not_half_of_each(store, proxy):
    store.put("large", os.urandom(5 * MB))
    proxy.on("GET", "large", CutAnswer(after=MB))
    with store.open("large") as stream:
        stream.read(1000)
        store.put("large", os.urandom(5 * MB))
        with pytest.raises(StoreRefused, match="replaced"):
            stream.read()


@pytest.mark.parametrize("status", [429, 503])
def test_the_store_says_when_to_come_back(store, proxy, status):
    proxy.on("PUT", "k", Answer(status, {"Retry-After": "1"}), times=2)
    began = time.monotonic()
    store.put("k", b"")
    assert 2 <= time.monotonic() - began < 5


def test_all_tries_have_one_deadline(store, proxy):
    proxy.refuse()
    store.give_up_at(time.monotonic() + 1)
    began = time.monotonic()
    with pytest.raises(StoreUnreachable) as caught:
        store.put("k", b"")
    # A wait that would end after it is not begun, and how long waits are is left to chance.
    assert 0.2 < time.monotonic() - began < 2
    assert isinstance(caught.value, OSError)
    assert "can't be reached" in str(caught.value)
    # A Retry-After beyond it is not waited for.
    proxy.heal()
    proxy.on("PUT", "k", Answer(503, {"Retry-After": "100"}, b"<Code>SlowDown</Code>"))
    store.give_up_at(time.monotonic() + 1)
    with pytest.raises(StoreUnreachable, match="503 SlowDown"):
        store.put("k", b"")


def test_a_deadline_may_be_set_while_a_call_is_under_way(store, proxy):
    proxy.refuse()
    threading.Timer(0.3, lambda: store.give_up_at(time.monotonic())).start()
    began = time.monotonic()
    with pytest.raises(StoreUnreachable):
        store.put("k", b"")
    assert time.monotonic() - began < 8


def test_the_time_that_a_store_may_be_away_begins_when_it_is(store, proxy):
    store.bear(0.5)
    time.sleep(0.6)
    busy = proxy.on("PUT", "k", Answer(503), times=2)
    store.put("k", b"1")
    assert len(busy.met) == 2


def test_a_store_that_stays_away_is_borne_once_and_not_by_each_call(store, proxy):
    store.bear(1)
    proxy.refuse()
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(StoreUnreachable):
            store.put("k", b"")
    assert 0.4 < time.monotonic() - began < 2
    proxy.heal()
    store.put("k", b"")
    store.bear(20)
    threading.Timer(0.5, proxy.heal).start()
    proxy.refuse()
    store.put("k", b"1")
    assert store.get("k") == b"1"


def test_what_a_store_says_to_others_keeps_no_write_waiting_for_ever(store, proxy, monkeypatch):
    # Pauses shorter than what is borne, as they are where that is minutes.
    monkeypatch.setattr(s3_patience, "_LONGEST", 0.1)
    store.bear(1)
    refused = proxy.on("PUT", "full", Answer(503), times=1000)
    asks, began = threading.Event(), time.monotonic()

    def ask() -> None:
        while not asks.wait(0.05):
            store.has("other")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        with pytest.raises(StoreUnreachable):
            store.put("full", b"")
    finally:
        asks.set()
        asking.join()
    assert refused.met
    assert time.monotonic() - began < 10


def test_a_store_is_not_borne_beyond_a_deadline(store, proxy):
    store.bear(60)
    store.give_up_at(time.monotonic() + 0.5)
    proxy.refuse()
    began = time.monotonic()
    with pytest.raises(StoreUnreachable):
        store.put("k", b"")
    assert time.monotonic() - began < 2


def test_a_store_that_comes_back_is_waited_for(store, proxy):
    proxy.refuse()
    threading.Timer(1, proxy.heal).start()
    store.put("k", b"1")
    assert store.get("k") == b"1"


def test_a_connection_that_is_cut_when_idle_is_made_anew(store, proxy):
    store.put("k", b"1")
    proxy.cut()
    assert store.get("k") == b"1"


def test_a_silent_server_is_left(store, proxy, monkeypatch):
    monkeypatch.setattr(s3_patience, "_READ", 0.5)
    again = other(store)
    proxy.on("GET", "k", BlackHole())
    store.put("k", b"1")
    assert again.get("k") == b"1"


def test_a_slow_answer_is_no_fault(store, proxy):
    store.put("k", b"x" * 200_000)
    proxy.on("GET", "k", Slow(rate=400_000))
    assert len(store.get("k")) == 200_000


# Refusals


def test_a_wrong_clock_is_named(store, monkeypatch):
    from datetime import timedelta

    from minio import time as clock

    now = clock.utcnow
    monkeypatch.setattr(clock, "utcnow", lambda: now() + timedelta(minutes=20))
    real = time.time
    monkeypatch.setattr(s3_patience.time, "time", lambda: real() + 1200)
    began = time.monotonic()
    for call in (store.get, store.has, lambda key: store.put_new(key, b"")):
        with pytest.raises(ClockSkew, match="20 min ahead of"):
            call("k")
    assert time.monotonic() - began < 2


def test_a_wrong_key_is_named_at_once(store):
    for call in (
        lambda store: store.get("k"),
        lambda store: store.has("k"),
        lambda store: store.put("k", b""),
        lambda store: store.names(""),
    ):
        with pytest.raises(StoreDenied, match="SignatureDoesNotMatch"):
            call(other(store, password="wrong"))
        with pytest.raises(StoreDenied, match="InvalidAccessKeyId"):
            call(other(store, user="nobody"))


def test_a_bucket_that_is_not_there_is_named(server):
    from minio.credentials.providers import StaticProvider

    address = S3Address(f"{server.endpoint}/no-such-bucket", minio.REGION)
    store = S3Store(address, StaticProvider(minio.USER, minio.PASSWORD))
    for call in (store.get, store.names, lambda key: store.put_new(key, b"")):
        with pytest.raises(BucketMissing) as caught:
            call("k/")
        assert "no-such-bucket" in caught.value.store


def test_what_the_store_can_not_take_is_said_in_its_words(store):
    with pytest.raises(StoreRefused):
        store.put("/".join(["x" * 250] * 5), b"")


@pytest.mark.parametrize("body", [b"<not xml", b"", b"<a/>", b"\xff\xfe"])
def test_an_answer_that_means_nothing_is_said(store, proxy, body):
    for method, call in (("PUT", lambda: store.put("k", b"")), ("GET", lambda: store.names("k/"))):
        proxy.on(method, ".", Answer(400, XML, body))
        with pytest.raises(StoreRefused):
            call()


def test_an_answer_that_is_no_s3_is_said(store, proxy):
    proxy.on("PUT", "k", Answer(400, {"Content-Type": "text/html"}, b"<html>nothing here</html>"))
    with pytest.raises(StoreRefused, match="non-XML"):
        store.put("k", b"")


# TLS


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody trusts unless told to."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", key, "-out", cert, *names], check=True, capture_output=True
    )
    return key, cert


@pytest.fixture
def encrypted(server, certificate):
    """The address of a store behind TLS."""
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with Proxy(("127.0.0.1", server.port), tls=context) as running:
        yield f"https://127.0.0.1:{running.port}/{minio.BUCKET}/tls"


def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(
    store, encrypted, certificate, monkeypatch
):
    began = time.monotonic()
    with pytest.raises(StoreUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        other(store, url=encrypted).put("k", b"")
    assert time.monotonic() - began < 5
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    trusting = other(store, url=encrypted)
    trusting.put_new("k", b"1")
    with pytest.raises(Exists):
        trusting.put_new("k", b"2")
    data = os.urandom(20 * MB)
    upload = trusting.upload("large")
    upload.write(data)
    upload.commit()
    assert trusting.get("large") == data
