from __future__ import annotations

import pytest

from dispatcher import diagnosis, store_endings
from dispatcher.runner import exit_status, store_faults
from dispatcher.runner.store_faults import StoreFault, told

KINDS = {
    kind.code: kind
    for kind in vars(store_faults).values()
    if isinstance(kind, type) and issubclass(kind, StoreFault) and kind is not StoreFault
}


def said(status: int, code: str) -> str:
    """The end of a log, as a pod's runner writes it."""
    words = {
        exit_status.NOT_STORED: "the store took no manifest",
        exit_status.NOT_BEGUN: "no command was started",
    }
    fault = KINDS[code]("http://minio/runs", "writing x", "its words")
    return f"epoch 1\nsendoff: {words[status]}: {told(fault)}\n"


@pytest.mark.parametrize("code", KINDS)
def test_a_store_that_kept_a_command_from_its_start_is_told_by_its_code(code):
    status = exit_status.NOT_BEGUN
    ending = store_endings.of(status, said(status, code), "r", "node-1")
    assert ending.code == code
    assert ending.message == f"no command was started: {KINDS[code].words}"
    assert ending.phase == "store"
    assert ending.blame == ("config" if code in ("STORE_DENIED", "BUCKET_MISSING") else "infra")
    assert ending.fix.endswith("sendoff rerun r --failed")


@pytest.mark.parametrize("code", KINDS)
def test_results_that_were_not_taken_are_told_by_what_is_to_be_mended(code):
    status = exit_status.NOT_STORED
    ending = store_endings.of(status, said(status, code), "r", "node-1")
    passing = code in ("STORE_UNREACHABLE", "STORE_REFUSED")
    assert ending.code == ("UPLOAD_INCOMPLETE" if passing else code)
    assert ending.message.startswith("the store took no manifest")
    assert ending.phase == "results"
    assert ("clock of node-1" in ending.fix) is (code == "CLOCK_SKEW")


def test_a_runner_that_says_nothing_and_one_that_ended_otherwise():
    assert store_endings.of(exit_status.NOT_STORED, "", "r").code == "UPLOAD_INCOMPLETE"
    assert store_endings.of(exit_status.NOT_BEGUN, "Traceback", "r").code == "STORE_FAILED"
    skewed = said(exit_status.NOT_STORED, "CLOCK_SKEW")
    assert store_endings.of(exit_status.INTERNAL, skewed, "r") is None


def test_a_container_of_an_engine_is_told_of_as_well():
    text = said(exit_status.NOT_STORED, "CLOCK_SKEW")
    failure = diagnosis.of_container("r", exit_status.NOT_STORED, out_of_memory=False, said=text)
    assert (failure.code, failure.blame, failure.retryable) == ("CLOCK_SKEW", "infra", True)
    assert failure.evidence[-1].endswith("its words")
    lost = diagnosis.of_container("r", exit_status.NOT_BEGUN, out_of_memory=False, said="")
    assert lost.code == "STORE_FAILED"
