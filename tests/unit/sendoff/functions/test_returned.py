"""Ends of a call that are no return, with real runs."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest

import sendoff


def test_a_call_that_leaves_without_a_word(work) -> None:
    with pytest.raises(sendoff.CallFailed, match="left no result") as caught:
        sendoff.remote(work.ends).remote(0)
    assert caught.value.state == "succeeded"
    assert caught.value.fix().startswith("sendoff show ends-")


def test_a_call_whose_process_fails(work) -> None:
    with pytest.raises(sendoff.CallFailed) as caught:
        sendoff.remote(work.ends).remote(3)
    assert caught.value.failure
    assert caught.value.failure.code == "EXIT_NONZERO"
    assert "EXIT_NONZERO" in caught.value.why()


@pytest.mark.parametrize("returned", [Decimal(3), {"mine": 1}, (1, 2)])
def test_a_function_that_writes_files_named_as_the_calls_own(work, returned) -> None:
    written = ["result.json", "written-result.json", "result.types.json"]
    run = sendoff.remote(work.writes).spawn(written, returned)
    assert run.value() == returned
    manifest = run[0].status.manifest
    assert sorted(word for each in manifest.warnings for word in each.split() if "." in word) == [
        "result.json",
        "result.types.json",
        "written-result.types.json",
        "written-written-result.json",
    ]
    assert run.metrics["loss"] == 0.1
    names = {file.path for file in manifest.files}
    assert names >= {f"written-{name}" for name in written}


def test_a_call_that_fails_beside_an_error_that_the_function_wrote(work) -> None:
    run = sendoff.remote(work.writes).spawn(["error.json", "error.pkl"], None, 3)
    with pytest.raises(sendoff.CallFailed):
        run.value()
    names = {file.path for file in run[0].status.manifest.files}
    assert names == {"written-error.json", "written-error.pkl"}


def test_a_call_whose_time_is_up_is_a_timeout_to_python_as_well(work) -> None:
    late = sendoff.remote(work.late).options(timeout="0.3s")
    with pytest.raises(TimeoutError) as caught:
        late.remote(1, 60)
    assert isinstance(caught.value, sendoff.CallTimedOut)


def test_waiting_for_a_while_is_not_the_calls_end(work) -> None:
    run = sendoff.remote(work.late).spawn(1, 0.7)
    with pytest.raises(TimeoutError) as caught:
        run.value(timeout=0.01)
    assert not isinstance(caught.value, sendoff.SendoffError)
    assert run.value() == 1


def test_an_exception_that_can_not_be_made_again(work) -> None:
    with pytest.raises(sendoff.RemoteError) as caught:
        sendoff.remote(work.raises).remote("pair")
    error = caught.value
    assert (error.type, error.message) == ("work.Pair", "1 and 2")
    assert "work.py" in error.traceback


def test_an_exception_whose_class_is_not_here_any_more(work, monkeypatch, tmp_path) -> None:
    run = sendoff.remote(work.raises).spawn("known")
    with pytest.raises(work.Known) as itself:
        run.value()
    assert "work.py" in str(itself.value.__cause__)
    monkeypatch.delitem(sys.modules, "work")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if str(tmp_path) not in path])
    with pytest.raises(sendoff.RemoteError) as caught:
        run.value()
    assert caught.value.type == "work.Known"


@pytest.mark.parametrize("name", ["stop", "async stop"])
def test_an_exception_that_ends_loops_is_told_in_another(work, name: str) -> None:
    raises = sendoff.remote(work.raises)
    with pytest.raises(sendoff.RemoteError) as caught:
        raises.remote(name)
    assert caught.value.type.endswith("StopIteration" if name == "stop" else "StopAsyncIteration")
    assert "work.py" in caught.value.traceback
    with pytest.raises(sendoff.RemoteError):
        list(raises.map([name]))
    (found,) = raises.map([name], return_exceptions=True)
    assert isinstance(found, sendoff.RemoteError)
