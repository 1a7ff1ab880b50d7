"""joblib and Hydra, as they are, with sendoff under them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.functions.conftest import Workbench


def test_joblib_sends_its_tasks_off(bench: Workbench) -> None:
    bench.write(
        "work.py",
        """
import os
def square(n, plus=0):
    if n == 99: raise KeyError("ninety-nine")
    return n * n + plus, os.environ["SENDOFF_RUN"]
""",
    )
    bench.program("""
import joblib, sendoff, sendoff.joblib
from work import square
sendoff.joblib.register()
with joblib.parallel_config("sendoff", timeout="2m", max_parallel=2):
    found = joblib.Parallel()(joblib.delayed(square)(n, plus=1) for n in range(6))
assert [value for value, _ in found] == [n * n + 1 for n in range(6)]
(run,) = {run for _, run in found}
record = sendoff.get(run).record.request
assert (record.timeout, record.max_parallel, len(record.inputs)) == (120, 2, 6)
assert record.inputs[2].command[3:] == ("work:square", "2", "plus=1")
with joblib.parallel_config("sendoff", n_jobs=2):
    found = joblib.Parallel(batch_size=2, return_as="generator")(
        joblib.delayed(lambda n: n + 1)(n) for n in range(4))
    assert list(found) == [1, 2, 3, 4]
    try:
        joblib.Parallel()(joblib.delayed(square)(n) for n in (1, 99))
    except KeyError as error:
        assert error.args == ("ninety-nine",) and "work.py" in str(error.__cause__)
    else:
        raise AssertionError("it did not raise")
try:
    joblib.parallel_config("sendoff", gpus="h100")
except sendoff.SendoffError as error:
    assert error.code == "USAGE"
""")


HYDRA = """
import hydra, os
from omegaconf import DictConfig

@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def train(cfg: DictConfig) -> float:
    if cfg.lr > 5:
        raise ValueError("too much")
    folder = hydra.core.hydra_config.HydraConfig.get().runtime.output_dir
    with open(os.path.join(folder, "loss.txt"), "w") as stream:
        stream.write(f"{cfg.lr * cfg.model.width} {os.environ['SENDOFF_INDEX']}")
    print("training with", cfg.lr)
    return cfg.lr * cfg.model.width

if __name__ == "__main__":
    train()
"""

READS = """
import hydra, pathlib
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_original_cwd, to_absolute_path

@hydra.main(version_base="1.3", config_path=None)
def train(cfg):
    folder = HydraConfig.get().runtime.output_dir
    text = pathlib.Path(to_absolute_path("data.txt")).read_text()
    pathlib.Path(folder, "read.txt").write_text(f"{text} {get_original_cwd()}")

if __name__ == "__main__":
    train()
"""


def test_a_job_of_hydra_finds_the_files_of_its_run(bench: Workbench) -> None:
    bench.write("reads.py", READS)
    bench.write("data.txt", "as sent")
    words = ["--multirun", "hydra/launcher=sendoff", "hydra.sweep.dir=swept", "+n=1"]
    bench.ran("reads.py", *words, "hydra.job.chdir=true", PYTHONWARNINGS="default")
    text, folder = (bench.project / "swept/0/read.txt").read_text().rsplit(" ", 1)
    assert text == "as sent"
    assert not Path(folder).is_relative_to(bench.project)


@pytest.mark.parametrize("place", ["../swept", "."])
def test_what_jobs_wrote_is_there_wherever_the_sweep_is(bench: Workbench, place: str) -> None:
    bench.write("train.py", HYDRA)
    bench.write("conf/config.yaml", "lr: 1\nmodel: {width: 2}\n")
    words = ["--multirun", "hydra/launcher=sendoff", f"hydra.sweep.dir={place}", "lr=2,3"]
    bench.ran("train.py", *words, PYTHONWARNINGS="default")
    losses = [(bench.project / place / str(n) / "loss.txt").read_text() for n in range(2)]
    assert losses == ["4 0", "6 1"]


def test_hydra_launches_a_multirun(bench: Workbench) -> None:
    bench.write("train.py", HYDRA)
    bench.write("conf/config.yaml", "defaults: [{model: small}, _self_]\nlr: 1\n")
    bench.write("conf/model/small.yaml", "width: 2\n")
    bench.write("conf/model/large.yaml", "width: 20\n")
    sweep = ["--multirun", "hydra/launcher=sendoff", "hydra.launcher.timeout=2m"]
    done = bench.run("train.py", *sweep, "lr=1,2", "model=small,large", PYTHONWARNINGS="default")
    assert done.returncode == 0, done.stderr
    (folder,) = (bench.project / "multirun").glob("*/*")
    losses = [(folder / str(n) / "loss.txt").read_text() for n in range(4)]
    assert losses == ["2 0", "20 1", "4 2", "40 3"]
    assert "lr: 2" in (folder / "3/.hydra/config.yaml").read_text()
    shown = bench.json("show", "@last")
    command = shown["indexes"][1]["command"]
    assert command[3:5] == ["sendoff.hydra_job:run", '"train.py:train"']
    assert json.loads(command[5]) == ["lr=1", "model=large"]
    assert "training with 1" in bench.done("logs", "@last/1")

    failed = bench.run("train.py", *sweep, "lr=1,9", PYTHONWARNINGS="default")
    assert failed.returncode == 1
    assert "too much" in failed.stderr
