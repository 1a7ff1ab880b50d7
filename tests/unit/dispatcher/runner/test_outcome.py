"""Endings told apart by what is known of them."""

from __future__ import annotations

import signal

import pytest

from dispatcher.runner.outcome import Ending


def failure(
    status: int = 0, errors: str = "", *, kills=(0, 0), stopped="", killed=False, alone=False
):
    ending = Ending(
        status=status,
        stopped=stopped,
        killed=killed,
        errors=errors,
        memory_kills=kills,
        alone=alone,
    )
    return ending.failure(10, 5)


def exited(code: int) -> int:
    return code << 8


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": exited(1)}, "EXIT_NONZERO"),
        ({"status": signal.SIGKILL}, "SIGNAL"),
        ({"status": signal.SIGSEGV}, "SIGNAL"),
        ({"status": signal.SIGSEGV | 0x80}, "CORE_DUMP"),
        ({"status": exited(0), "stopped": "timeout"}, "TIMEOUT"),
        ({"status": signal.SIGKILL, "stopped": "timeout", "killed": True}, "TIMEOUT"),
        ({"status": signal.SIGKILL, "kills": (1, 1)}, "OOM_HOST"),
        ({"status": signal.SIGKILL, "kills": (0, 1)}, "OOM_HOST"),
        ({"status": exited(137), "kills": (0, 1)}, "OOM_HOST"),
        # Somebody else's process was killed meanwhile.
        ({"status": exited(1), "kills": (0, 1)}, "EXIT_NONZERO"),
        (
            {
                "status": exited(1),
                "kills": (0, 1),
                "errors": "RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed.",
            },
            "OOM_HOST",
        ),
        ({"status": exited(1), "errors": "MemoryError\n"}, "OOM_HOST"),
        (
            {
                "status": exited(1),
                "errors": "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8 TiB",
            },
            "OOM_HOST",
        ),
        (
            {
                "status": signal.SIGABRT,
                "errors": "terminate called after throwing an instance of 'std::bad_alloc'",
            },
            "OOM_HOST",
        ),
        ({"status": exited(1), "errors": "ValueError: no MemoryError here"}, "EXIT_NONZERO"),
        ({"status": exited(1), "errors": "RuntimeError: CUDA error: out of memory"}, "OOM_GPU"),
        # Whatever the command says, where nobody else can have been meant.
        ({"status": exited(0), "kills": (1, 1), "alone": True}, "OOM_HOST"),
        (
            {
                "status": exited(1),
                "errors": "OSError: [Errno 28] No space left on device: 'checkpoint.pt'",
            },
            "DISK_FULL",
        ),
        ({"status": exited(1), "errors": "CUBLAS_STATUS_ALLOC_FAILED when calling"}, "OOM_GPU"),
    ],
)
def test_the_code(facts, code):
    assert failure(**facts)["code"] == code


def test_what_succeeded_or_was_cancelled_has_no_failure():
    assert failure(exited(0)) is None
    assert failure(exited(0), errors="MemoryError") is None
    assert failure(exited(0), errors="No space left on device") is None
    # In a group that is not the command's own, another process may have been killed.
    assert failure(exited(0), kills=(1, 1)) is None
    assert failure(exited(0), kills=(0, 1), alone=True) is None
    assert failure(signal.SIGTERM, stopped="signal") is None


def test_a_long_traceback_keeps_its_head_and_its_end():
    frames = "".join(f'  File "f{n}.py", line 1\n' for n in range(100))
    evidence = failure(exited(1), f"noise\nTraceback (most recent call last):\n{frames}E: x\n")[
        "evidence"
    ]
    assert evidence[0].startswith("Traceback")
    assert evidence[-1] == "E: x"
    assert len(evidence) == 20
