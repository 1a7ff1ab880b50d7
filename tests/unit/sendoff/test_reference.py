from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.request import Input, Request
from dispatcher.run import Run
from dispatcher.store import DirectoryStore, Runs
from packer.digest import Digest
from sendoff import reference
from sendoff.errors import IndexUnknown, RunAmbiguous, RunUnknown

DIGEST = Digest.of(b"")


def run(run_id: str, inputs: int = 1) -> Run:
    one = Input(command=("true",), digest=DIGEST)
    return Run(
        id=run_id,
        created="2026-11-24T03:11:27Z",
        request=Request(inputs=(one,) * inputs, repository="/r"),
        snapshot=DIGEST,
        environment=DIGEST,
    )


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """The newest is added last."""
    return stored(tmp_path, run("eval-abcdef"), run("train-abcabc"), run("train-bbbbbb", 3))


def stored(folder: Path, *some: Run) -> Runs:
    found = Runs(DirectoryStore(str(folder)))
    for each in some:
        found.add(each)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train-bbbbbb", "train-bbbbbb"),
        ("train-b", "train-bbbbbb"),
        ("e", "eval-abcdef"),
        ("@last", "train-bbbbbb"),
        ("@last-2", "eval-abcdef"),
    ],
)
def test_names(name: str, expected: str, runs: Runs) -> None:
    assert reference.find(name, runs).run.id == expected


def test_a_whole_id_wins_over_longer_ones(tmp_path: Path) -> None:
    runs = stored(tmp_path, run("train-x"), run("train"))
    assert reference.find("train", runs).run.id == "train"


def test_a_folder_without_a_record_is_neither_a_run_nor_the_nearest_to_one(runs: Runs) -> None:
    for folder in ("junk", "junky"):
        runs.store.put(f"runs/{folder}/file", b"")
    for name in ("junk", "jun", "junkx"):
        with pytest.raises(RunUnknown) as caught:
            reference.find(name, runs)
        assert caught.value.near == ""
    with pytest.raises(RunUnknown) as caught:
        reference.find("eval-abcdeg", runs)
    assert caught.value.near == "eval-abcdef"


def test_of_a_whole_id_nothing_else_is_read(runs: Runs, monkeypatch) -> None:
    monkeypatch.delattr(DirectoryStore, "names")
    assert reference.find("train-abcabc", runs).run.id == "train-abcabc"


def test_a_folder_without_a_record_is_no_run(runs: Runs) -> None:
    runs.store.put("runs/eval-zzzzzz/0/1/attempt.json", b"{}")
    assert reference.find("eval", runs).run.id == "eval-abcdef"


def test_an_index(runs: Runs) -> None:
    found = reference.find("@last/2", runs)
    assert (found.index, found.indexes) == (2, (2,))
    assert reference.find("@last", runs).indexes == (0, 1, 2)


def test_what_there_is_not(runs: Runs) -> None:
    with pytest.raises(RunUnknown) as unknown:
        reference.find("trian-bbbbbb", runs)
    assert "did you mean train-bbbbbb?" in unknown.value.fix()
    with pytest.raises(RunUnknown):
        reference.find("@last-3", runs)
    with pytest.raises(RunUnknown):
        reference.find("", runs)
    with pytest.raises(RunAmbiguous, match="2 runs begin with 'train'"):
        reference.find("train", runs)
    for index in ("3", "x", "-1", "²"):
        with pytest.raises(IndexUnknown):
            reference.find(f"train-b/{index}", runs)
