"""Data from outside the project, on its way into the store."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dispatcher import inputs, remote_store
from dispatcher.input_errors import (
    InputChanged,
    InputDestinationInvalid,
    InputMissing,
    InputUnreadable,
)
from dispatcher.request import Data
from dispatcher.runner.address import S3Address
from dispatcher.store import Runs
from dispatcher.store_errors import StoreUnreachable
from tests.faults.faults import Answer, LoseAnswer

MB = 1 << 20


@pytest.fixture(params=["bucket", "directory"])
def places(request, bench):
    if request.param == "directory":
        return bench.places
    return request.getfixturevalue("bucket")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with something of everything."""
    root = tmp_path / "data"
    (root / "train/deep").mkdir(parents=True)
    (root / "a.csv").write_text("1,2\n")
    (root / "train/b.bin").write_bytes(b"x" * 1000)
    (root / "train/deep/copy.csv").write_text("1,2\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link.csv").symlink_to("a.csv")
    (root / "linked").symlink_to("train/deep")
    (root / os.fsdecode(b"\xff raw")).write_text("raw")
    return root


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Heard:
    """A listener that adds up."""

    def __init__(self) -> None:
        self.total = self.done_so_far = 0
        self.note = ""

    def start(self, what: str, total: int = 0) -> None:
        assert what == "inputs"
        self.total = total

    def advance(self, amount: int) -> None:
        self.done_so_far += amount

    def done(self, note: str = "") -> None:
        self.note = note


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("data:train", ("data", "train")),
        ("/mnt/sets/imagenet", ("/mnt/sets/imagenet", "imagenet")),
        ("/mnt/a:b/c:data/x", ("/mnt/a:b/c", "data/x")),
        ("model.bin:", ("model.bin", "model.bin")),
    ],
)
def test_a_source_and_a_destination(text, parts):
    assert inputs.split(text) == parts


def test_a_file_goes_to_the_store_once(places, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    source = inputs.read(tmp_path / "model.bin", "models/m.bin", tmp_path / "cache")
    assert source.data == Data(sha256=sha256(b"weights"), size=7, path="models/m.bin")
    heard = Heard()
    assert inputs.send([source], places, heard) == 7
    assert (heard.total, heard.done_so_far, heard.note) == (7, 7, "1 files")
    store = Runs.at(places).store
    assert store.get(f"inputs/sha256/{sha256(b'weights')}") == b"weights"
    assert inputs.send([source], places) == 0


def test_a_folder_is_a_listing_and_its_files(places, folder, tmp_path):
    source = inputs.read(folder, "data", tmp_path / "cache")
    assert source.data.kind == "tree"
    assert inputs.send([source], places) == 4 + 1000 + 10 + 3
    store = Runs.at(places).store
    listing = store.get(f"inputs/sha256/{source.data.sha256}")
    assert sha256(listing) == source.data.sha256
    files = {file["path"]: file for file in json.loads(listing)["files"]}
    assert list(files) == sorted(files, key=os.fsencode)
    assert set(files) == {
        "a.csv",
        "link.csv",
        "linked/copy.csv",
        "run.sh",
        "train/b.bin",
        "train/deep/copy.csv",
        os.fsdecode(b"\xff raw"),
    }
    assert files["train/b.bin"]["sha256"] == sha256(b"x" * 1000)
    assert [path for path, file in files.items() if file["mode"] & 0o100] == ["run.sh"]
    for file in files.values():
        assert store.size(f"inputs/sha256/{file['sha256']}") == file["size"]
    # One more file is all that a second time has to send.
    (folder / "new").write_text("new!")
    assert inputs.send([inputs.read(folder, "data", tmp_path / "cache")], places) == 4


def test_the_same_data_has_the_same_name_anywhere(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "elsewhere")
    first = inputs.read(folder, "a", tmp_path / "cache").data
    second = inputs.read(tmp_path / "elsewhere", "/workspace/b", tmp_path / "cache-2").data
    assert first.sha256 == second.sha256
    assert (first.path, second.path) == ("a", "b")


def test_what_was_read_is_remembered(folder, tmp_path, monkeypatch):
    for path in folder.rglob("*"):
        # Old enough to be trusted.
        os.utime(path, (1, 1), follow_symlinks=False)
    first = inputs.read(folder, "data", tmp_path / "cache")
    import time

    time.sleep(0.1)
    assert inputs.read(folder, "data", tmp_path / "cache") == first
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was read again"))
        assert inputs.read(folder, "data", tmp_path / "cache") == first
    (folder / "a.csv").write_text("3,4\n")
    assert inputs.read(folder, "data", tmp_path / "cache").data.sha256 != first.data.sha256


@pytest.mark.parametrize("path", ["/data", "../x", "a/../../x", "/workspace", ".", ""])
def test_a_destination_outside_the_working_directory_is_refused(tmp_path, path):
    (tmp_path / "f").write_text("")
    with pytest.raises(InputDestinationInvalid):
        inputs.read(tmp_path / "f", path, tmp_path / "cache")


def test_what_can_not_be_read_is_named(tmp_path):
    with pytest.raises(InputMissing, match="nothing-here"):
        inputs.read(tmp_path / "nothing-here", "x", tmp_path / "cache")
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop/again").symlink_to(tmp_path / "loop")
    with pytest.raises(InputUnreadable, match="it is in"):
        inputs.read(tmp_path / "loop", "x", tmp_path / "cache")
    (tmp_path / "odd").mkdir()
    os.mkfifo(tmp_path / "odd/pipe")
    with pytest.raises(InputUnreadable, match="neither a file nor a folder"):
        inputs.read(tmp_path / "odd", "x", tmp_path / "cache")
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead/link").symlink_to("nowhere")
    with pytest.raises(InputUnreadable, match="No such file"):
        inputs.read(tmp_path / "dead", "x", tmp_path / "cache")


def test_a_file_that_changed_since_it_was_read_is_not_stored(places, tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    source = inputs.read(tmp_path / "f", "f", tmp_path / "cache")
    (tmp_path / "f").write_bytes(b"after!")
    with pytest.raises(InputChanged):
        inputs.send([source], places)
    assert not list(Runs.at(places).store.list("inputs/"))


def test_a_folder_of_which_a_file_is_missing_has_no_listing(bucket, proxy, folder, tmp_path):
    source = inputs.read(folder, "data", tmp_path / "cache")
    remote_store.at(bucket).give_up_at(0.001)
    missing = sha256(b"x" * 1000)
    proxy.on("PUT", missing, Answer(503), times=100)
    with pytest.raises(StoreUnreachable):
        inputs.send([source], bucket)
    remote_store.at(bucket).give_up_at(None)
    assert not remote_store.at(bucket).has(f"inputs/sha256/{source.data.sha256}")
    proxy.heal()
    inputs.send([source], bucket)
    assert remote_store.at(bucket).has(f"inputs/sha256/{source.data.sha256}")


def test_an_upload_that_stopped_goes_on_part_by_part(bucket, proxy, tmp_path):
    data = os.urandom(5 * 8 * MB + 1)
    (tmp_path / "large").write_bytes(data)
    source = inputs.read(tmp_path / "large", "large", tmp_path / "cache")
    store = remote_store.at(bucket)
    proxy.on("PUT", "partNumber=5", Answer(400), times=1)
    with pytest.raises(Exception, match="refused"):
        inputs.send([source], bucket)
    sent = len([each for each in proxy.seen("PUT", "partNumber") if each.status == 200])
    assert sent >= 1
    proxy.forget()
    assert inputs.send([source], bucket) == len(data)
    again = [each for each in proxy.seen("PUT", "partNumber") if each.status == 200]
    assert len(again) == 6 - sent
    assert proxy.up < (6 - sent) * 8 * MB + 10_000
    assert store.get(f"inputs/sha256/{sha256(data)}") == data


class Meanwhile(Heard):
    """A listener that has something happen once the first piece is on its way."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def advance(self, amount: int) -> None:
        if not self.done_so_far:
            self._happens()
        super().advance(amount)


def test_another_client_that_sends_the_same_ends_the_upload(bucket, proxy, tmp_path):
    data = os.urandom(5 * 8 * MB + 1)
    (tmp_path / "large").write_bytes(data)
    source = inputs.read(tmp_path / "large", "large", tmp_path / "cache")
    inputs.send([source], bucket, Meanwhile(lambda: inputs.send([source], bucket)))
    assert len(proxy.seen("POST", "uploads=")) == 1
    assert remote_store.at(bucket).get(f"inputs/sha256/{sha256(data)}") == data


def test_clients_that_send_the_same_at_once(bucket, tmp_path):
    data = os.urandom(5 * 8 * MB + 1)
    (tmp_path / "large").write_bytes(data)
    source = inputs.read(tmp_path / "large", "large", tmp_path / "cache")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: inputs.send([source], bucket), range(5)))
    assert remote_store.at(bucket).get(f"inputs/sha256/{sha256(data)}") == data


def test_an_upload_that_is_taken_away_begins_anew(bucket, proxy, tmp_path):
    data = os.urandom(5 * 8 * MB + 1)
    (tmp_path / "large").write_bytes(data)
    source = inputs.read(tmp_path / "large", "large", tmp_path / "cache")
    store = remote_store.at(bucket)
    key = f"inputs/sha256/{sha256(data)}"

    def take_away() -> None:
        name = S3Address(bucket.store, bucket.region).name(key)
        while not (upload := store.bucket.unfinished(name)[0]):
            pass
        store.bucket.abort(name, upload)

    assert inputs.send([source], bucket, Meanwhile(take_away)) == len(data)
    assert len(proxy.seen("POST", "uploads=")) == 2
    assert store.get(key) == data


def test_parts_that_another_client_has_replaced_are_sent_anew(bucket, proxy, tmp_path):
    """Where a store's tags are no hashes, as with keys of its own (S3: SSE-KMS)."""
    data = os.urandom(2 * 8 * MB + 1)
    (tmp_path / "large").write_bytes(data)
    source = inputs.read(tmp_path / "large", "large", tmp_path / "cache")
    body = b"<Error><Code>InvalidPart</Code><Message>other tag</Message></Error>"
    rule = proxy.on("POST", "uploadId", Answer(400, {"Content-Type": "application/xml"}, body))
    assert inputs.send([source], bucket) == len(data)
    assert rule.met
    assert remote_store.at(bucket).get(f"inputs/sha256/{sha256(data)}") == data


def test_lost_answers_lose_nothing(bucket, proxy, folder, tmp_path):
    for _ in range(3):
        proxy.on("PUT", "inputs", LoseAnswer())
    source = inputs.read(folder, "data", tmp_path / "cache")
    inputs.send([source], bucket)
    assert remote_store.at(bucket).has(f"inputs/sha256/{source.data.sha256}")


def test_what_a_runner_is_told():
    data = (Data(sha256="a" * 64, size=1, path="x", executable=True),)
    assert inputs.told(data) == [
        {"sha256": "a" * 64, "size": 1, "path": "x", "kind": "file", "mode": 0o555}
    ]
