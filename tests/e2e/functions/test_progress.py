"""Bars where people see them: on a terminal, and in a notebook with a kernel of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

from tests.e2e.functions.conftest import PATIENCE, Workbench
from tests.e2e.sandboxes import TOOLS

MAPPED = """
import sendoff
def wait(n):
    import time
    time.sleep(0.2)
    if n == 2: raise ValueError("two")
    return n
calls = sendoff.remote(wait).options(max_parallel=2).map(range(5), return_exceptions=True)
print(len(list(calls)), "results of", calls.run.id)
"""


def on_a_terminal(bench: Workbench, *arguments: str, **env: str) -> tuple[str, str]:
    """What a program prints, and what it shows on a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    shown = b""
    try:
        with subprocess.Popen(
            [bench.python, *arguments],
            cwd=bench.project,
            env={**bench.env, "TERM": "xterm", "COLUMNS": "100", **env},
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            while True:
                try:
                    piece = os.read(ours, 1 << 16)
                except OSError:
                    # The last who had the terminal open has ended.
                    break
                if not piece:
                    break
                shown += piece
            assert process.stdout
            printed = process.stdout.read().decode()
            assert process.wait(PATIENCE) == 0, shown.decode(errors="replace")
    finally:
        os.close(ours)
    return printed, shown.decode(errors="replace")


def test_a_map_shows_a_bar_on_a_terminal(bench: Workbench) -> None:
    bench.write("mapped.py", MAPPED)
    printed, shown = on_a_terminal(bench, "mapped.py")
    run = printed.split()[-1]
    assert "5 results of" in printed
    assert f"{run}, 1 failed" in shown
    assert "100%" in shown
    # The last thing is that its line is cleared.
    assert shown.rstrip().endswith("\x1b[2K")


def test_where_nobody_looks_there_is_no_bar(bench: Workbench) -> None:
    bench.write("mapped.py", MAPPED)
    done = bench.run("mapped.py")
    assert (done.returncode, done.stderr) == (0, "")
    _, shown = on_a_terminal(bench, "mapped.py", TERM="dumb")
    assert shown == ""


CELLS = [
    """
import sendoff
factor = 3
@sendoff.remote
def times(n): return n * factor
times.remote(4)
""",
    """
def make(shift):
    @sendoff.remote(max_parallel=2)
    def shifted(n): return n + shift
    return shifted
calls = make(10).map(range(4))
print(list(calls))
""",
]


def test_cells_of_a_notebook_send_functions_off(bench: Workbench, tmp_path: Path) -> None:
    import nbformat

    bench.write("README", "a notebook's folder")
    argv = [bench.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = tmp_path / "kernels" / "sandbox" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": argv, "display_name": "sandbox", "language": "python"}))
    path = tmp_path / "project" / "cells.ipynb"
    cells = [nbformat.v4.new_code_cell(each) for each in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    done = subprocess.run(
        [TOOLS / "jupyter-execute", "--inplace", "--kernel_name=sandbox", path],
        cwd=bench.project,
        env={**bench.env, "PYTHONWARNINGS": "default", "JUPYTER_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(path, as_version=4)

    called, mapped = (cell.outputs for cell in notebook.cells)
    assert [each.data["text/plain"] for each in called] == ["12"]
    printed = [each.text for each in mapped if each.output_type == "stream"]
    assert printed == ["[10, 11, 12, 13]\n"]
    (bar,) = [each.data for each in mapped if each.output_type == "display_data"]
    assert bar["text/plain"].endswith(": 4 of 4")
    assert '<progress value="4" max="4">' in bar["text/html"]
