"""A bucket as a client's store."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher import remote_store
from dispatcher.errors import RunUnknown, StoreNotHere
from dispatcher.run import Manifest
from dispatcher.store import Runs
from dispatcher.store_errors import BucketMissing, StoreDenied, StoreUnreachable
from tests import minio
from tests.unit.dispatcher.test_store import MANIFEST, RUN


def test_records_go_in_and_out(bucket):
    runs = Runs.at(bucket)
    assert runs.all() == []
    runs.add(RUN)
    assert runs.run(RUN.id) == RUN
    assert runs.all() == [RUN]
    assert runs.manifest(RUN.id, 0) is None
    assert runs.commit(MANIFEST)
    assert not runs.commit(msgspec.structs.replace(MANIFEST, attempt=2))
    assert isinstance(runs.manifest(RUN.id, 0), Manifest)
    assert runs.attempts(RUN.id, 0) == []
    runs.store.put(f"runs/{RUN.id}/0/3/attempt.json", b"")
    assert runs.attempts(RUN.id, 0) == [3]
    with pytest.raises(RunUnknown, match="no such run"):
        runs.run("other")


def test_one_client_serves_all(bucket):
    assert Runs.at(bucket).store is remote_store.at(bucket) is remote_store.at(bucket)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".aws/credentials", "[default]\naws_access_key_id = {0}\naws_secret_access_key = {1}\n"),
        (
            ".mc/config.json",
            '{{"aliases": {{"s3": {{"accessKey": "{0}", "secretKey": "{1}"}}}}}}',
        ),
    ],
)
def test_credentials_come_from_where_other_clients_keep_them(monkeypatch, tmp_path, file, text):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text(text.format(minio.USER, minio.PASSWORD))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert remote_store.provider().retrieve().access_key == minio.USER


def test_what_goes_wrong_has_a_remedy(bucket, proxy, monkeypatch):
    from dispatcher.runner import s3_patience

    monkeypatch.setattr(s3_patience, "_PATIENCE", 0.5)
    missing = msgspec.structs.replace(bucket, store=bucket.store.replace("/results/", "/none/"))
    with pytest.raises(BucketMissing) as caught:
        Runs.at(missing).all()
    assert "SENDOFF_STORE" in caught.value.fix()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    denied = msgspec.structs.replace(bucket, store=bucket.store + "-2")
    with pytest.raises(StoreDenied) as caught:
        Runs.at(denied).all()
    assert "AWS_SECRET_ACCESS_KEY" in caught.value.fix()
    proxy.refuse()
    with pytest.raises(StoreUnreachable) as caught:
        Runs.at(bucket).all()
    assert caught.value.retryable


def test_the_local_target_wants_a_directory(bench, bucket):
    bench.places = bucket
    with pytest.raises(StoreNotHere) as caught:
        bench.submit(["true"])
    assert "SENDOFF_STORE" in caught.value.fix()
    assert Runs.at(bucket).all() == []
