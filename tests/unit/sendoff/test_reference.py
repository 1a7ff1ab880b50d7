from __future__ import annotations

import pytest

from dispatcher.request import Input, Request
from dispatcher.run import Run
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


RUNS = [run("train-bbbbbb", 3), run("train-abcabc"), run("eval-abcdef")]


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
def test_names(name: str, expected: str) -> None:
    assert reference.find(name, RUNS).run.id == expected


def test_a_whole_id_wins_over_longer_ones() -> None:
    assert reference.find("train", [run("train-x"), run("train")]).run.id == "train"


def test_an_index() -> None:
    found = reference.find("@last/2", RUNS)
    assert (found.index, found.indexes) == (2, (2,))
    assert reference.find("@last", RUNS).indexes == (0, 1, 2)


def test_what_there_is_not() -> None:
    with pytest.raises(RunUnknown) as unknown:
        reference.find("trian-bbbbbb", RUNS)
    assert "did you mean train-bbbbbb?" in unknown.value.fix()
    with pytest.raises(RunUnknown):
        reference.find("@last-3", RUNS)
    with pytest.raises(RunUnknown):
        reference.find("", RUNS)
    with pytest.raises(RunAmbiguous, match="2 runs begin with 'train'"):
        reference.find("train", RUNS)
    for index in ("3", "x", "-1", "²"):
        with pytest.raises(IndexUnknown):
            reference.find(f"train-b/{index}", RUNS)
