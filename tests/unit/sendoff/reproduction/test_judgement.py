"""Several indexes judged together, and what packing again has shown."""

from __future__ import annotations

from packer.digest import Digest
from packer.reproduction.difference import Difference
from packer.reproduction.rebuild import Rebuilt
from sendoff.reproduction import judgement
from sendoff.reproduction.report import LEVELS, Level, LevelName, Report, document

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")


def report(number: int, *, asked: LevelName = "L2", **holds: bool | None) -> Report:
    levels = tuple(Level(name=name, holds=holds.get(name), why=f"why {name}") for name in LEVELS)
    failed = holds.get(asked) is False
    return Report(
        reference="train-abcdef",
        digest=(ONE, TWO)[number],
        command=("true",),
        asked=asked,
        levels=levels,
        difference=Difference(what="outputs", was="a", now="b") if failed else None,
        run=f"train-uvwxyz/{number}",
        earlier=f"train-abcdef/{number}",
        files=2,
    )


def levels(found: Report) -> dict[str, bool | None]:
    return {each.name: each.holds for each in found.levels}


def test_a_level_holds_where_it_does_of_every_index() -> None:
    both = judgement.together([report(n, L0=True, L2=True, L3=True) for n in (0, 1)])
    assert levels(both) == {"L0": True, "L1": None, "L2": True, "L3": True}
    assert (both.holds, both.level, both.files) == (True, "L2", 4)
    assert (both.run, both.earlier) == ("train-uvwxyz", "train-abcdef")
    assert [each.run for each in both.indexes] == ["train-uvwxyz/0", "train-uvwxyz/1"]


def test_the_first_that_fails_says_what_differs() -> None:
    found = judgement.together([report(0, L0=True, L2=True), report(1, L0=True, L2=False)])
    assert levels(found) == {"L0": True, "L1": None, "L2": False, "L3": None}
    assert found.digest == TWO
    assert found.difference
    assert found.levels[2].why == "1 of 2 indexes fail, the first of them train-abcdef/1: why L2"
    failure = found.failure()
    assert failure
    assert failure.code == "OUTPUT_MISMATCH"
    told = document(found)
    assert [each["holds"] for each in told["indexes"]] == [True, False]


def test_one_alone_is_what_it_is() -> None:
    alone = report(0, L2=True)
    assert judgement.together([alone]) is alone


def rebuilt(found: Rebuilt) -> Report:
    bare = Report(
        reference="x", digest=ONE, command=(), asked="L1", levels=(), earlier="train-abcdef"
    )
    return judgement.of_rebuild(bare, found)


def test_what_can_not_be_packed_to_its_end_does_not_hold() -> None:
    wheel = Difference(what="environment", was="1" * 64, now="2" * 64, detail="odd.whl")
    failed = rebuilt(Rebuilt(digest=None, difference=wheel))
    assert levels(failed) == {"L0": None, "L1": False, "L2": None, "L3": None}
    assert "odd.whl" in failed.levels[1].why
    error = failed.failure()
    assert error
    assert (error.code, "--level L2" in error.fix()) == ("ENV_DRIFT", True)
    same = rebuilt(Rebuilt(digest=ONE))
    assert (same.holds, same.level, same.earlier) == (True, "L1", "train-abcdef")
