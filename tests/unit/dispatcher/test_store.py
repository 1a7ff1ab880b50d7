from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatcher.errors import RecordUnreadable
from dispatcher.request import Input, Request
from dispatcher.run import Manifest, Run
from dispatcher.store import DirectoryStore, RunKeys, Runs
from packer.digest import Digest

DIGEST = Digest.of(b"")
RUN = Run(
    id="train-abc234",
    created="2026-11-24T03:11:27Z",
    request=Request(inputs=(Input(command=("true",), digest=DIGEST),), repository="images"),
    snapshot=DIGEST,
    environment=DIGEST,
)
MANIFEST = Manifest(
    run=RUN.id,
    index=0,
    attempt=1,
    digest=DIGEST,
    command=("true",),
    state="succeeded",
    exit_code=0,
)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(DirectoryStore(str(tmp_path)))


def stored(runs: Runs, key: str) -> dict[str, object]:
    return json.loads(runs.store.get(key))


def test_records_say_their_format(runs: Runs) -> None:
    runs.add(RUN)
    runs.commit(MANIFEST)
    keys = RunKeys(RUN.id)
    assert stored(runs, keys.record)["format"] == "sendoff.run/1"
    assert stored(runs, keys.manifest(0))["format"] == "sendoff.manifest/1"
    assert runs.run(RUN.id) == RUN
    assert runs.manifest(RUN.id, 0) == MANIFEST


def test_a_record_of_a_newer_format_is_named(runs: Runs, tmp_path: Path) -> None:
    runs.add(RUN)
    path = tmp_path / RunKeys(RUN.id).record
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"sendoff.run/1", b"sendoff.run/2"))
    with pytest.raises(RecordUnreadable) as caught:
        runs.run(RUN.id)
    assert "sendoff.run/2" in caught.value.evidence()
    assert runs.all() == []


def test_a_second_manifest_loses(runs: Runs) -> None:
    assert runs.commit(MANIFEST)
    assert not runs.commit(MANIFEST)
