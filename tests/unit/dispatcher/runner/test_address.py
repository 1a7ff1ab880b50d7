"""The address of a bucket, and the names that keys have there."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatcher.runner.address import S3Address


@pytest.mark.parametrize(
    ("url", "endpoint", "bucket", "prefix"),
    [
        ("https://s3.example.com/b-1", "https://s3.example.com", "b-1", ""),
        ("http://127.0.0.1:9000/b-1/a/c/", "http://127.0.0.1:9000", "b-1", "a/c"),
        ("http://[::1]:9000/b-1/x", "http://[::1]:9000", "b-1", "x"),
    ],
)
def test_its_parts(url, endpoint, bucket, prefix):
    address = S3Address(url)
    assert (address.endpoint, address.bucket, address.prefix) == (endpoint, bucket, prefix)
    assert address.url == url.rstrip("/")
    assert address.region == "us-east-1"
    assert S3Address(url, "eu-1").region == "eu-1"


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "https://host",
        "https:///bucket",
        "https://user:x@host/bucket",
        "https://host/bucket?x=1",
        "ftp://host/bucket",
        "https://host/b",
        "https://host/no bucket",
    ],
)
def test_what_is_none(url):
    with pytest.raises(ValueError) as caught:
        S3Address(url)
    assert "user:x" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1:9000", False),
        ("[::1]:9000", False),
        ("10.1.2.3", False),
        ("192.168.0.1:80", False),
        ("localhost:9000", False),
        ("minio:9000", False),
        ("minio.minio.svc:9000", False),
        ("minio.minio.svc.cluster.local", False),
        ("8.8.8.8:9000", True),
        ("[2001:4860:4860::8888]:9000", True),
        ("s3.example.com", True),
    ],
)
def test_plain_http_is_for_private_networks(host, exposed):
    assert S3Address(f"http://{host}/bucket").exposed() is exposed
    assert S3Address(f"https://{host}/bucket").exposed() is False


@given(some.lists(some.binary(min_size=1, max_size=6), min_size=2, max_size=2, unique=True))
def test_different_keys_have_different_names_that_xml_and_utf8_can_carry(raw):
    address = S3Address("http://127.0.0.1/bucket/p")
    names = [address.name("runs/r/" + os.fsdecode(part)) for part in raw]
    assert names[0] != names[1]
    for name in names:
        assert name.startswith("p/runs/r/")
        assert "\\" not in name
        assert all(letter.isprintable() for letter in name.encode().decode())


def test_ordinary_names_stay_as_they_are():
    address = S3Address("http://127.0.0.1/bucket")
    for key in ("runs/a-1/0/1/files/out/metrics.json", "a b", "ümläut €", "q?&=#+'\"<>"):
        assert address.name(key) == key
