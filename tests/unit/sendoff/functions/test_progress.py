"""The bar on a terminal, and what is printed while it is shown."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

LOOP = """
import sys
from work import square
import sendoff
for found in sendoff.remote(square).map(range(2)):
    print(found, "x" * 300)
    print("aside", found, file=sys.stderr)
print("after")
"""


@pytest.fixture
def terminal():
    """Its two ends."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.usefixtures("work")
def test_what_the_loop_prints_goes_where_the_shell_sends_it(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    Path("loop.py").write_text(LOOP)
    root = str(Path(__file__).parents[4])
    environment = {**os.environ, "PYTHONPATH": root, "TERM": "xterm", "COLUMNS": "80"}
    # What they say fits in the terminal's buffer: it is read once they are done.
    ended = subprocess.run(
        [sys.executable, "loop.py"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        text=True,
        check=False,
    )
    shown = os.read(ours, 1 << 16).decode()
    assert ended.returncode == 0, shown
    assert ended.stdout == f"0 {'x' * 300}\n1 {'x' * 300}\nafter\n"
    assert "aside 1" in shown
    assert "x" * 50 not in shown
    assert "square-" in shown


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_program_without_outputs_waits_as_any(terminal: tuple[int, int], closed: str) -> None:
    program = "import sendoff, work; assert list(sendoff.remote(work.square).map([3])) == [9]"
    root = str(Path(__file__).parents[4])
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {closed}>&-', sys.executable, "-c", program],
        stdout=terminal[1],
        stderr=terminal[1],
        env={**os.environ, "PYTHONPATH": root, "TERM": "xterm"},
        check=False,
    )
    assert ended.returncode == 0
