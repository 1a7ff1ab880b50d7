"""Event files as a real writer leaves them: tensorboardX, in a sandbox that has it."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from dispatcher.metrics import collect
from tests.e2e import experiments

WRITE = """\
import sys
import numpy as np
from tensorboardX import SummaryWriter

with SummaryWriter(sys.argv[1]) as writer:
    for step in range(5):
        writer.add_scalar("loss/train", 1 / (step + 1), step)
    writer.add_scalars("both", {"a": 1, "b": 2}, 7)
    writer.add_scalar("bad", float("nan"), -3)
    writer.add_text("note", "loss: 99")
    writer.add_histogram("weights", np.arange(100.0), 1)
    writer.add_scalar("ünï", 2.5)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tb")
    python = experiments.sandbox() / "bin/python"
    subprocess.run([python, "-c", WRITE, folder / "runs/exp"], check=True, capture_output=True)
    return folder


def test_scalars_are_read_and_all_else_is_passed_over(written: Path) -> None:
    files = [
        (str(path.relative_to(written)), partial(path.open, "rb"))
        for path in written.rglob("*")
        if path.is_file()
    ]
    found = collect(files, [])
    assert set(found) == {"loss/train", "both/a/both", "both/b/both", "bad", "ünï"}
    loss = found["loss/train"]
    assert [point.step for point in loss.history] == [0, 1, 2, 3, 4]
    assert loss.value == pytest.approx(0.2)
    assert (found["both/b/both"].value, found["both/b/both"].history[0].step) == (2, 7)
    assert found["bad"].history[0].step == -3
    assert found["ünï"].value == 2.5
