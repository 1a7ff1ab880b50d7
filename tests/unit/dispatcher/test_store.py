from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dispatcher.errors import RecordDamaged, RecordUnreadable
from dispatcher.request import Input, Request
from dispatcher.run import Manifest, Run
from dispatcher.runner.keys import recent
from dispatcher.store import DirectoryStore, RunKeys, Runs
from packer import record
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


@pytest.fixture(params=["directory", "bucket"])
def any_runs(request: pytest.FixtureRequest, tmp_path: Path) -> Runs:
    """A store of either kind."""
    if request.param == "directory":
        return Runs(DirectoryStore(str(tmp_path)))
    return Runs.at(request.getfixturevalue("bucket"))


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


def test_a_record_that_was_cut_short_is_told_of(any_runs: Runs) -> None:
    any_runs.add(RUN)
    cut = msgspec.structs.replace(RUN, id="cut-abcdef")
    data = record.encode(cut)
    any_runs.store.put(RunKeys(cut.id).record, data[: len(data) // 2])
    any_runs.store.put(recent(cut.id, 1), b"")
    told: list[RecordUnreadable] = []
    assert list(any_runs.recent(told.append)) == any_runs.all() == [RUN]
    (error,) = told
    assert isinstance(error, RecordDamaged)
    assert error.what() == "runs/cut-abcdef/run.json cannot be read"
    assert "upgrade" not in error.fix()
    # A folder of no run is not one that can't be read.
    any_runs.store.put("runs/junk/file", b"")
    any_runs.store.put(recent("junk", 1), b"")
    told.clear()
    assert list(any_runs.recent(told.append)) == [RUN]
    assert [each.key for each in told] == [error.key]


def test_a_manifest_that_was_cut_short_names_what_runs_it_again(runs: Runs) -> None:
    runs.add(RUN)
    for data, saw in ((b"", "empty"), (b'{"run":"tr', "")):
        runs.store.put(RunKeys(RUN.id).manifest(0), data)
        with pytest.raises(RecordDamaged) as caught:
            runs.manifest(RUN.id, 0)
        assert caught.value.fix().endswith(f"sendoff rerun {RUN.id} --failed")
        assert saw in caught.value.evidence()
    # What is JSON may be of another version.
    runs.store.put(RunKeys(RUN.id).manifest(0), b'{"run":3}')
    with pytest.raises(RecordUnreadable) as caught:
        runs.manifest(RUN.id, 0)
    assert "upgrade" in caught.value.fix()


def test_a_second_manifest_loses(runs: Runs) -> None:
    assert runs.commit(MANIFEST)
    assert not runs.commit(MANIFEST)


def named(number: int) -> Run:
    return msgspec.structs.replace(RUN, id=f"train-{number:06}")


def test_the_newest_come_first_and_no_more_are_read_than_are_wanted(any_runs: Runs) -> None:
    for number in range(40):
        any_runs.add(named(number))
    for number in range(40):
        if number < 8:
            any_runs.store.put(f"runs/train-{number:06}/run.json", b"not for reading")
    found = any_runs.recent()
    assert [next(found).id for _ in range(3)] == ["train-000039", "train-000038", "train-000037"]
    assert [run.id for run in found] == [f"train-{number:06}" for number in range(36, 7, -1)]


def test_ids_by_their_beginning(any_runs: Runs) -> None:
    for number in (7, 10, 11):
        any_runs.add(named(number))
    assert any_runs.ids("train-00001") == ["train-000010", "train-000011"]
    assert any_runs.ids("eval") == []
    assert len(any_runs.ids()) == 3


def test_runs_without_a_mark_are_found_after_all_others(any_runs: Runs) -> None:
    older = msgspec.structs.replace(RUN, id="eval-abcdef", created="2026-11-23T03:11:27Z")
    for run in (older, RUN):
        any_runs.store.put(RunKeys(run.id).record, record.encode(run))
    any_runs.add(named(1))
    assert [run.id for run in any_runs.all()] == ["train-000001", RUN.id, older.id]


def test_a_mark_without_a_run_means_nothing(any_runs: Runs) -> None:
    any_runs.store.put(recent("train-gone22", 1), b"")
    any_runs.add(RUN)
    any_runs.store.put(recent(RUN.id, 2), b"")
    assert any_runs.all() == [RUN]
