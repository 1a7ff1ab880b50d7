"""joblib and Hydra with the cluster under them: what a user runs, with the sandbox's Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.cluster.desk import Site
from tests.e2e.functions import conftest as functions
from tests.e2e.functions.conftest import Workbench

JOBLIB = """
import joblib, sendoff, sendoff.joblib
from work import square

sendoff.joblib.register()
with joblib.parallel_config("sendoff", timeout="5m"):
    found = joblib.Parallel()(joblib.delayed(square)(n, plus=1) for n in (3, 1, 2))
assert [value for value, _, _ in found] == [10, 2, 5]
(run,) = {run for _, run, _ in found}
assert [index for _, _, index in found] == ["0", "1", "2"]
assert sendoff.get(run).record.request.timeout == 300
print(run)
"""
SQUARE = """
import os
def square(n, plus=0):
    return n * n + plus, os.environ["SENDOFF_RUN"], os.environ["SENDOFF_INDEX"]
"""
HYDRA = """
import hydra, os
from omegaconf import DictConfig

@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def train(cfg: DictConfig) -> float:
    folder = hydra.core.hydra_config.HydraConfig.get().runtime.output_dir
    with open(os.path.join(folder, "loss.txt"), "w") as stream:
        stream.write(f"{cfg.lr * 2} {os.environ['SENDOFF_INDEX']} {os.environ['SENDOFF_RUN']}")
    print("training with", cfg.lr)
    return cfg.lr * 2

if __name__ == "__main__":
    train()
"""


@pytest.fixture
def bench(tmp_path: Path, site: Site, cache: Path) -> Iterator[Workbench]:
    """A project whose sandbox has NumPy, joblib and Hydra, for the servers of the site."""
    sandbox = sandboxes.with_packages(Path(functions.__file__).with_name("packages.txt"))
    group = f"desk-{os.urandom(4).hex()}"
    own = {"XDG_CACHE_HOME": str(cache), "SENDOFF_GROUP": group}
    made = Workbench(tmp_path, sandbox, {**site.variables(), **own})
    yield made
    site.kubectl("delete", "jobs", "-l", f"sendoff.io/group={group}", "--wait=false")


def _pods(site: Site, run: str) -> set[str]:
    """The completion indexes of a run's pods."""
    label = "batch.kubernetes.io/job-completion-index"
    return {pod["metadata"]["labels"][label] for pod in site.of_run("pods", run)}


def test_joblib_has_its_tasks_results_from_pods_in_order(bench: Workbench, site: Site) -> None:
    bench.write("work.py", SQUARE)
    run = bench.program(JOBLIB).strip()
    assert _pods(site, run) == {"0", "1", "2"}


def test_a_hydra_multirun_has_what_its_jobs_wrote(bench: Workbench, site: Site) -> None:
    bench.write("train.py", HYDRA)
    bench.write("conf/config.yaml", "lr: 1\n")
    launcher = ["hydra/launcher=sendoff", "hydra.launcher.timeout=5m"]
    bench.ran("train.py", "--multirun", *launcher, "lr=3,4", PYTHONWARNINGS="default")
    (folder,) = (bench.project / "multirun").glob("*/*")
    losses = [(folder / str(n) / "loss.txt").read_text().split() for n in range(2)]
    (run,) = {run for _, _, run in losses}
    assert [each[:2] for each in losses] == [["6", "0"], ["8", "1"]]
    assert "lr: 4" in (folder / "1/.hydra/config.yaml").read_text()
    assert "training with 4" in bench.done("logs", f"{run}/1")
    assert _pods(site, run) == {"0", "1"}
