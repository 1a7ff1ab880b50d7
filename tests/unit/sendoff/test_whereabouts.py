"""The same names as inside a run, so that code need not ask where it is to ask where it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sendoff
from dispatcher import runner_tree

INSIDE = Path(runner_tree.__file__).parent / "runner" / "site"
PROGRAM = """
import json, sendoff
sendoff.output_dir().joinpath("model.txt").write_text("trained")
told = [sendoff.inside(), sendoff.run_id, sendoff.index, sendoff.attempt]
print(json.dumps(told), [type(each).__name__ for each in told])
"""


def told(path: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": path, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_outside_it_is_no_run(tmp_path: Path) -> None:
    outside = told(str(Path(sendoff.__file__).parents[1]), tmp_path)
    assert outside == "[false, \"\", 0, 1] ['bool', 'str', 'int', 'int']"
    assert (tmp_path / "model.txt").read_text() == "trained"


def test_one_input_of_a_sweep_can_be_tried_outside(tmp_path: Path) -> None:
    variables = {"SENDOFF_INDEX": "3", "SENDOFF_OUTPUT_DIR": str(tmp_path / "out")}
    outside = told(str(Path(sendoff.__file__).parents[1]), tmp_path, **variables)
    assert outside.startswith('[false, "", 3, 1]')
    assert (tmp_path / "out" / "model.txt").exists()


def test_inside_it_is_that_run(tmp_path: Path) -> None:
    variables = {"SENDOFF_RUN": "a-run", "SENDOFF_INDEX": "3", "SENDOFF_ATTEMPT": "2"}
    inside = told(str(INSIDE), tmp_path, **variables)
    assert inside == "[true, \"a-run\", 3, 2] ['bool', 'str', 'int', 'int']"
