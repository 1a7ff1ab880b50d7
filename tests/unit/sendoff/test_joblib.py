"""The backend at the edges of what joblib asks of it; with the real joblib."""

from __future__ import annotations

import contextlib
import threading

import joblib
import pytest

import sendoff.joblib
from dispatcher.store import Runs
from packer.errors import SendoffError
from sendoff.joblib import SendoffBackend
from tests.e2e.desk import until


@pytest.fixture(autouse=True)
def registered() -> None:
    sendoff.joblib.register()


def test_numbers_of_jobs() -> None:
    backend = SendoffBackend()
    assert backend.effective_n_jobs(3) == 3
    assert backend.effective_n_jobs(-1) == backend.effective_n_jobs(None) > 100
    with pytest.raises(ValueError, match="n_jobs == 0"):
        backend.effective_n_jobs(0)


def test_a_wish_that_there_is_not_is_refused_before_any_task() -> None:
    with pytest.raises(SendoffError) as caught:
        SendoffBackend(timout="1h")
    assert "timeout" in caught.value.fix()


@pytest.mark.usefixtures("work")
def test_what_can_not_be_sent_is_raised_where_results_are_waited_for() -> None:
    def values():
        yield 1

    with joblib.parallel_config("sendoff"), pytest.raises(SendoffError, match="generator"):
        joblib.Parallel()([joblib.delayed(values)()])
    with pytest.raises(SendoffError) as caught:
        sendoff.get("@last")
    assert caught.value.code == "RUN_UNKNOWN"


def test_one_that_fails_ends_the_others(work) -> None:
    def tasks():
        yield joblib.delayed(work.picky)(1)
        yield joblib.delayed(work.late)(2, 60)

    with joblib.parallel_config("sendoff", max_parallel=2), pytest.raises(ValueError, match="one"):
        joblib.Parallel(n_jobs=2)(tasks())
    run = sendoff.get("@last").wait(30)
    assert [index.state for index in run] == ["failed", "cancelled"]


def _last() -> sendoff.Run | None:
    try:
        return sendoff.get("@last")
    except SendoffError:
        return None


@pytest.mark.parametrize("managed", [False, True])
def test_one_at_a_time_is_sent_off_like_any_other(work, *, managed: bool) -> None:
    with joblib.parallel_config("sendoff"):
        parallel = joblib.Parallel(n_jobs=1)
        with parallel if managed else contextlib.nullcontext():
            assert parallel(joblib.delayed(work.square)(n) for n in (2, 3)) == [4, 9]
    request = sendoff.get("@last").record.request
    assert (len(request.inputs), request.max_parallel) == (2, 1)


class _Held:
    """An argument whose packing is begun, and over, when the test says so."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def __reduce__(self):
        self.begun.set()
        self.over.wait(30)
        return int, (1,)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ZeroDivisionError])
def test_a_run_that_was_being_packed_ends_as_well(work, raised) -> None:
    held = _Held()

    def tasks():
        yield joblib.delayed(work.late)(held, 60)
        yield joblib.delayed(work.late)(2, 60)
        assert held.begun.wait(30)
        raise raised

    with joblib.parallel_config("sendoff"), pytest.raises(raised):
        joblib.Parallel(n_jobs=2)(tasks())
    held.over.set()
    run = until(_last)
    until(lambda: Runs.at(run.places).is_cancelled(run.id))
    assert "succeeded" not in [index.state for index in run.wait(30)]


def test_a_decorated_function_is_a_task_like_any_other(work) -> None:
    square = sendoff.remote(timeout="10m")(work.square)
    with joblib.parallel_config("sendoff", timeout="1h"):
        assert joblib.Parallel()(joblib.delayed(square)(n) for n in (2, 3)) == [4, 9]
    assert sendoff.get("@last")[0].command[3:] == ("work:square", "2")
    assert sendoff.get("@last").record.request.timeout == 3600


@pytest.mark.parametrize("size", [1, 2])
def test_what_a_function_asks_for_and_the_backend_does_not_is_refused(work, size) -> None:
    square = sendoff.remote(gpu="h100", timeout="10m")(work.square)
    with joblib.parallel_config("sendoff", timeout="1h"), pytest.raises(SendoffError) as caught:
        joblib.Parallel(n_jobs=2, batch_size=size)(joblib.delayed(square)(n) for n in range(9))
    assert caught.value.code == "FUNCTION_REFUSED"
    assert "gpu='h100'" in caught.value.fix()
    assert "timeout" not in caught.value.fix()
    with pytest.raises(SendoffError, match="@last"):
        sendoff.get("@last")
