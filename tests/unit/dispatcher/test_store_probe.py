"""What `sendoff doctor` finds out of a store."""

from __future__ import annotations

import time

import msgspec
import pytest

from dispatcher.store_probe import probe
from tests.faults.faults import Answer


def findings(places, patience: float = 10.0) -> dict[str, str]:
    """Ability → note, or the error's code."""
    return {
        found.ability: found.error.code if found.error else found.note
        for found in probe(places, patience)
    }


def at(places, store: str, **changes):
    return msgspec.structs.replace(places, store=store, **changes)


def test_a_store_that_has_everything(bucket):
    for _ in range(2):
        found = findings(bucket)
        assert list(found) == ["address", "bucket", "conditional write", "credentials for runs"]
        assert found["address"] == bucket.store
        assert found["conditional write"] == "what is there is kept"
        assert found["credentials for runs"].startswith("good for one run, until 20")


@pytest.mark.parametrize(
    ("store", "code"),
    [
        ("s3://bucket", "STORE_ADDRESS_INVALID"),
        ("http://s3.example.com/bucket", "STORE_EXPOSED"),
    ],
)
def test_an_address_that_is_none(bucket, store, code):
    assert findings(at(bucket, store)) == {"address": code}


def test_an_open_network_can_be_allowed(bucket):
    from dispatcher import remote_store

    allowed = at(bucket, "http://s3.example.com/bucket", insecure=True)
    assert remote_store.address(allowed).host == "s3.example.com"


def test_a_bucket_that_is_not_there(bucket):
    found = findings(at(bucket, bucket.store.replace("/results/", "/nothing/")))
    assert list(found.values())[1:] == ["BUCKET_MISSING"]


def test_a_server_that_is_not_there(bucket, proxy):
    proxy.refuse()
    began = time.monotonic()
    assert list(findings(bucket, patience=0.5).values())[1:] == ["STORE_UNREACHABLE"]
    assert time.monotonic() - began < 5


def test_a_server_that_overwrites(bucket, proxy):
    # As one answers that has never heard of the condition.
    proxy.on("PUT", "written-once", Answer(200, {"ETag": '"x"'}), times=2)
    assert list(findings(bucket).values())[2:] == ["STORE_NO_CONDITIONAL_WRITES"]


def test_a_server_without_sts(bucket, proxy):
    proxy.on("POST", r"^/$", Answer(501, {}, b""), times=9)
    assert list(findings(bucket).values())[3:] == ["STORE_DENIED"]
