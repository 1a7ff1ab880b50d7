"""Several runs as one, with real runs."""

from __future__ import annotations

import pytest

import sendoff
from dispatcher.runner.keys import RunKeys
from sendoff.errors import GroupUnknown, Misuse
from sendoff.run_group import RunGroup


def test_a_label_finds_them_from_anywhere_the_oldest_first(work) -> None:
    square = sendoff.remote(work.square)
    first = square.options(group="mine").spawn(2)
    square.options(group="other").spawn(3)
    second = square.options(group="mine").spawn(4)
    found = sendoff.group("mine")
    assert found.ids == (first.id, second.id)
    assert [run.value() for run in found.wait()] == [4, 16]
    with pytest.raises(GroupUnknown) as caught:
        sendoff.group("mime")
    assert "did you mean mine?" in caught.value.fix()


def test_the_quicker_comes_first(work) -> None:
    late = sendoff.remote(work.late)
    slow, quick = late.spawn(1, 1.5), late.spawn(2, 0)
    assert [run.id for run in RunGroup([slow, quick]).as_ended()] == [quick.id, slow.id]


def test_whoever_waits_too_long_is_told_for_what(work) -> None:
    late = sendoff.remote(work.late)
    done, going = late.spawn(1, 0), late.spawn(2, 60)
    done.wait()
    group = RunGroup([done, going])
    with pytest.raises(TimeoutError) as caught:
        group.wait(0.05)
    assert going.id in str(caught.value)
    assert done.id not in str(caught.value)
    group.cancel()
    group.wait()
    assert [run.state for run in group] == ["succeeded", "cancelled"]
    assert group.state == "cancelled"


def test_ids_that_no_run_has(work) -> None:
    run = sendoff.remote(work.square).spawn(1)
    assert RunGroup.of([run.id])[0].value() == 1
    with pytest.raises(sendoff.SendoffError) as caught:
        RunGroup.of([run.id, "no-such-run"])
    assert caught.value.code == "RUN_UNKNOWN"


def test_nothing_has_ended_at_once() -> None:
    assert RunGroup([]).wait(0).ids == ()


def test_runs_of_several_stores_are_waited_for_each_in_its_own(work, tmp_path, monkeypatch) -> None:
    late = sendoff.remote(work.late)
    here = late.spawn(1, 0)
    monkeypatch.setenv("SENDOFF_STORE", str(tmp_path / "other"))
    group = RunGroup([here, late.spawn(2, 0)])
    assert [run.value() for run in group.wait()] == [1, 2]
    going = late.spawn(3, 60)
    with pytest.raises(TimeoutError) as caught:
        RunGroup([here, going]).wait(0.05)
    assert str(caught.value) == f"{going.id} go on after 0.05 s"
    going.cancel()


def test_the_images_of_what_was_waited_for_know_of_it(work) -> None:
    run = sendoff.remote(work.square).spawn(1)
    RunGroup([run]).wait()
    assert run.session.runs().store.has(RunKeys(run.id).attached)


def test_one_index_is_no_run_of_a_group(work) -> None:
    run = sendoff.remote(work.square).map([1, 2]).run
    with pytest.raises(Misuse) as caught:
        RunGroup.of([f"{run.id}/1"])
    assert caught.value.fix() == f"sendoff.get('{run.id}')[1]"
    with pytest.raises(Misuse, match="single text"):
        RunGroup.of(run.id)
