"""From calls to an order: pure, but for files of arguments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sendoff
from dispatcher.runner.site.sendoff.call import Call
from packer.errors import SendoffError
from sendoff.errors import Misuse
from sendoff.functions.arguments import Bound, bind_all
from sendoff.functions.shipment import Options, Planner


def example(a, b=2, *more, c=3, **others):
    return [a, b, more, c, others]


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    (tmp_path / "files").mkdir()
    return Planner(tmp_path, tmp_path / "files")


@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_a_call_is_a_command_that_reads_back(planner: Planner, tmp_path: Path, monkeypatch) -> None:
    placed, named = ("@x", [1, None], "k=v"), {"c": (1, 2), "odd key": 1.5, "array": np.ones(2)}
    order = planner.plan([Bound(function=example, placed=placed, named=named)])
    (set_up,) = order.setups
    assert set_up.command[:3] == ("python", "-m", "sendoff.call")
    assert set_up.command[4:7] == ('"@x"', "[1, null]", '"k=v"')
    for source in order.sources:
        target = tmp_path / source.data.path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.files[0].source.read_bytes())
    monkeypatch.chdir(tmp_path)
    found, by_name = Call(list(set_up.command[3:])).arguments()
    assert tuple(found) == placed
    assert (by_name.pop("array") == np.ones(2)).all()
    assert by_name == {"c": (1, 2), "odd key": 1.5}
    assert {each.path for each in set_up.data} == {each.data.path for each in order.sources}


@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_what_calls_share_is_one_file(planner: Planner) -> None:
    array = np.zeros(100)
    order = planner.plan(bind_all(example, [(array, n) for n in range(3)], {"c": "x" * 500}))
    assert [set_up.parameters["b"] for set_up in order.setups] == ["0", "1", "2"]
    # The function itself, the array, and the long text.
    assert len(order.sources) == 3
    assert {len(set_up.data) for set_up in order.setups} == {3}


def test_options_are_checked_and_added_up() -> None:
    options = Options().changed({"gpu": ["h100", "a40"], "timeout": "1h", "name": "n"})
    assert options.changed({"gpu": "a40"}).wishes == {"gpu": "a40", "timeout": "1h"}
    assert options.wishes["gpu"] == "h100,a40"
    assert options.changed({}).name == "n"
    with pytest.raises(Misuse) as caught:
        Options().changed({"timout": 1})
    assert "timeout" in caught.value.fix()


def test_arguments_that_do_not_fit_are_refused(planner: Planner) -> None:
    with pytest.raises(TypeError, match="missing a required argument"):
        planner.plan([Bound(function=Path.joinpath, placed=())])
    with pytest.raises(SendoffError, match="generator"):
        planner.plan([Bound(function=Path.iterdir, placed=(Path(),))])


def test_an_earlier_call_answers_where_it_may(work) -> None:
    square = sendoff.remote(work.square)
    first = square.spawn(3).wait()
    again = square.options(reuse=True).spawn(3)
    assert (again.id, again.reused, again.value()) == (first.id, True, 9)
    other = square.options(reuse=True).spawn(4)
    assert (other.reused, other.value()) == (False, 16)


def test_an_earlier_map_answers_where_the_settings_let_it(work, monkeypatch) -> None:
    mapped = sendoff.remote(work.square).map(range(3))
    assert list(mapped) == [0, 1, 4]
    monkeypatch.setenv("SENDOFF_REUSE", "true")
    again = sendoff.remote(work.square).map(range(3))
    assert again.run.reused
    assert again.run.id == mapped.run.id
    assert list(again) == [0, 1, 4]


def test_a_function_that_is_one_already_is_sent_off_in_another_way(work) -> None:
    first = sendoff.remote(timeout="1h", retries=1)(work.square)
    for second in (sendoff.remote(timeout="5m")(first), sendoff.remote(first).options(timeout=300)):
        run = second.spawn(3)
        assert (run.record.request.timeout, run.record.request.retries) == (300, 1)
        assert run.value() == second(3) == 9
