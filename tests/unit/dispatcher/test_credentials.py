"""Credentials of a run, tried out where they should not work."""

from __future__ import annotations

import json
import urllib.parse
from datetime import UTC, datetime

import msgspec
import pytest
from minio.credentials.providers import StaticProvider
from minio.error import S3Error

from dispatcher import credentials, remote_store
from dispatcher.runner.address import S3Address
from dispatcher.runner.s3_store import S3Store
from dispatcher.runner.store import Exists, Missing
from dispatcher.runner.store_faults import StoreDenied
from dispatcher.store_errors import StoreDenied as Denied
from tests import minio

SHA256 = "a" * 64


@pytest.fixture
def owner(bucket):
    """The store with the client's own credentials, and things in it."""
    store = remote_store.at(bucket)
    for run in ("run-a", "run-b", "run-ab"):
        store.put(f"runs/{run}/run.json", b"{}")
        store.put(f"runs/{run}/0/manifest.json", b"{}")
    store.put(f"inputs/sha256/{SHA256}", b"data")
    return store


@pytest.fixture
def limited(bucket, owner) -> S3Store:
    """The store as the pods of run-a see it."""
    assert owner.has("runs/run-a/run.json")
    issued = credentials.issue(bucket, "run-a", data=True)
    provider = StaticProvider(issued.access_key, issued.secret_key, issued.session_token)
    return S3Store(S3Address(bucket.store, minio.REGION), provider)


def test_a_run_can_do_what_it_needs(limited):
    assert limited.get("runs/run-a/run.json") == b"{}"
    limited.put_new("runs/run-a/1/manifest.json", b"{}")
    with pytest.raises(Exists):
        limited.put_new("runs/run-a/1/manifest.json", b"{}")
    limited.put("runs/run-a/1/1/log/000000.jsonl", b"")
    for end in ("commit", "abandon"):
        upload = limited.upload(f"runs/run-a/1/1/files/{end}")
        upload.write(b"x" * (20 << 20))
        getattr(upload, end)()
    assert not limited.has("runs/run-a/cancel.json")
    assert not limited.has("runs/run-a/1/1/files/abandon")
    with pytest.raises(Missing):
        limited.get("runs/run-a/2/manifest.json")
    assert limited.names("runs/run-a/1/1/files/") == ["commit"]
    assert limited.get(f"inputs/sha256/{SHA256}") == b"data"


LEAVING = {
    "read another run": lambda store: store.get("runs/run-b/run.json"),
    "read a run whose name begins the same": lambda store: store.get("runs/run-ab/run.json"),
    "look for another run's files": lambda store: store.has("runs/run-b/0/manifest.json"),
    "read what is not there": lambda store: store.get("runs/run-b/none"),
    "write to another run": lambda store: store.put("runs/run-b/0/1/x", b""),
    "write to one whose name begins the same": lambda store: store.put("runs/run-ab/0/1/x", b""),
    "write beside the runs": lambda store: store.put("x", b""),
    "write what others are given": lambda store: store.put(f"inputs/sha256/{'b' * 64}", b""),
    "replace what others are given": lambda store: store.put(f"inputs/sha256/{SHA256}", b""),
    "replace the run's own record": lambda store: store.put("runs/run-a/run.json", b""),
    "leave copies of manifests": lambda store: store.put("runs/run-a/manifests.jsonl.gz", b""),
    "cancel the run": lambda store: store.put("runs/run-a/cancel.json", b""),
    "begin a large value elsewhere": lambda store: store.upload("runs/run-b/0/1/x").write(
        b"x" * (9 << 20)
    ),
    "list another run": lambda store: store.names("runs/run-b/"),
    "list all runs": lambda store: store.names("runs/"),
    "list everything": lambda store: store.names(""),
    "list what others are given": lambda store: store.names("inputs/sha256/"),
}


@pytest.mark.parametrize("what", LEAVING)
def test_a_run_can_not(what, limited, owner):
    before = sorted(owner.list(""))
    with pytest.raises(StoreDenied, match="AccessDenied"):
        LEAVING[what](limited)
    assert sorted(owner.list("")) == before


@pytest.mark.parametrize("key", ["runs/run-a/run.json", "runs/run-b/run.json"])
def test_a_run_can_delete_nothing(key, limited, owner, bucket):
    name = S3Address(bucket.store).name(key)
    with pytest.raises(S3Error, match="AccessDenied"):
        limited.bucket._minio.remove_object(bucket_name=minio.BUCKET, object_name=name)
    with pytest.raises(S3Error, match="AccessDenied"):
        limited.bucket._minio.list_buckets()
    assert owner.has(key)


@pytest.mark.usefixtures("owner")
def test_without_data_nothing_of_it_can_be_read(bucket):
    issued = credentials.issue(bucket, "run-a")
    provider = StaticProvider(issued.access_key, issued.secret_key, issued.session_token)
    store = S3Store(S3Address(bucket.store, minio.REGION), provider)
    with pytest.raises(StoreDenied):
        store.get(f"inputs/sha256/{SHA256}")


def test_they_expire_as_asked_and_are_not_shown(bucket):
    from datetime import UTC, datetime, timedelta

    issued = credentials.issue(bucket, "run-a", lifetime=2 * 3600)
    expires = datetime.fromisoformat(issued.expires)
    assert abs(expires - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    assert issued.secret_key not in repr(issued)
    assert issued.session_token not in repr(issued)


def test_they_are_of_the_role_that_is_named(bucket, proxy):
    credentials.issue(bucket, "run-a")
    arn = "arn:aws:iam::123456789012:role/runs"
    places = msgspec.structs.replace(bucket, role=arn)
    lifetime = credentials.lifetime(0, arn)
    assert credentials.issue(places, "run-a", lifetime=lifetime).session_token
    plain, named = (
        urllib.parse.parse_qs(each.body.decode())
        for each in proxy.seen("POST", "")
        if b"AssumeRole" in each.body
    )
    assert "RoleArn" not in plain
    assert named["RoleArn"] == [arn]
    # AWS STS, AssumeRole: 12 hours at most.
    assert int(named["DurationSeconds"][0]) <= 43_200


def test_nobody_without_credentials_issues_any(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Denied, match="All providers fail"):
        credentials.issue(bucket, "run-a")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.USER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(Denied, match="403"):
        credentials.issue(bucket, "run-a")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    with pytest.raises(Denied, match="temporary credentials"):
        credentials.issue(bucket, "run-a")


def test_the_policy(golden):
    place = S3Address("https://s3.example.com/results/team-a")
    policies = [credentials.policy(place, "train-abc234", data=data) for data in (False, True)]
    golden("credentials/policy.json", json.dumps(policies, indent=1) + "\n")


def test_a_policy_is_short_enough_for_any_sts():
    place = S3Address("https://s3.example.com/" + "b" * 63 + "/" + "p" * 60)
    text = json.dumps(credentials.policy(place, "r" * 52, data=True), separators=(",", ":"))
    # AWS STS, AssumeRole: 2,048 characters.
    assert len(text) < 2048


@pytest.mark.parametrize(
    ("lasting", "hours"), [(1800, 1), (3600 * 48, 48), (3600 * 1000, 168), (0, 168)]
)
def test_credentials_last_as_long_as_the_run_may_and_the_store_allows(bucket, lasting, hours):
    seconds = credentials.lifetime(lasting)
    assert seconds == hours * 3600
    issued = credentials.issue(bucket, "run-a", lifetime=seconds)
    until = datetime.fromisoformat(issued.expires) - datetime.now(UTC)
    assert abs(until.total_seconds() - seconds) < 60
