"""The scripts of examples/experiments, as their authors left them, and fronts to send them through.

A further front is a further function in `FRONTS`, a further script one in `EXPERIMENTS`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio

from tests.e2e import sandboxes
from tests.e2e.mcp.agents import over_stdio
from tests.e2e.sandboxes import TOOLS

FOLDER = sandboxes.EXAMPLE.parent / "experiments"
PATIENCE = 150


@dataclass(frozen=True)
class Experiment:
    """One script with its command, and what it is known to report."""

    name: str
    command: tuple[str, ...]
    metrics: Mapping[str, int]
    """Names, and how many values each has had."""
    source: str
    """Where the first of them is found, less the line or the record."""
    same: tuple[str, ...]
    """Patterns of the outputs that come out the same to the bit each time."""
    timed: bool = False
    """Whether it writes down when it ran as well, so that not all of it can be the same again."""

    @property
    def project(self) -> Path:
        return FOLDER / self.name


EXPERIMENTS = (
    # argparse, and JSON lines.
    Experiment(
        "charlm",
        ("python", "train.py", "--steps", "200", "--hidden", "48"),
        {"train/loss": 5, "val/loss": 5, "best": 5},
        "out/log.jsonl",
        ("out/*",),
    ),
    # Hydra, and TensorBoard.
    Experiment(
        "blobs",
        ("python", "train.py", "model=large", "epochs=8", "hydra.run.dir=outputs/large"),
        dict.fromkeys(("loss/train", "loss/test", "accuracy/train", "accuracy/test"), 8),
        "outputs/large/tb/events.out.tfevents.",
        ("outputs/large/*.npy", "outputs/large/.hydra/config.yaml"),
        timed=True,
    ),
    # Printed pairs, progress that overwrites itself.
    Experiment(
        "moons",
        ("python", "train.py", "6", "24"),
        {"loss": 6, "acc": 6, "Test accuracy": 1},
        "stdout",
        ("weights.txt",),
    ),
)


def sandbox() -> Path:
    """What all of them need: numpy, Hydra and a writer of event files."""
    return sandboxes.with_packages(FOLDER / "requirements.txt")


Settings = Mapping[str, str | tuple[str, ...]]
Front = Callable[[Experiment, Mapping[str, str], Settings], str]
"""Sends one off, with variables of the environment and settings by name; the run's id."""


def by_command_line(experiment: Experiment, env: Mapping[str, str], settings: Settings) -> str:
    flags = [
        f"--{name.removesuffix('s')}={value}"
        for name, given in settings.items()
        for value in ((given,) if isinstance(given, str) else given)
    ]
    return sendoff(experiment, env, "run", "--detach", *flags, "--", *experiment.command).strip()


def by_python(experiment: Experiment, env: Mapping[str, str], settings: Settings) -> str:
    code = (
        "import json, sys, sendoff\n"
        "command, settings = map(json.loads, sys.argv[1:])\n"
        "print(sendoff.ship(command, **settings).id)\n"
    )
    words = [json.dumps(experiment.command), json.dumps(dict(settings))]
    return output(experiment, env, [sys.executable, "-c", code, *words]).strip()


def by_mcp(experiment: Experiment, env: Mapping[str, str], settings: Settings) -> str:
    async def script() -> str:
        async with over_stdio(experiment.project, _leaving_nothing(env)) as agent:
            return str((await agent("submit", command=experiment.command, **settings))["run"])

    return anyio.run(script)


FRONTS: dict[str, Front] = {
    "command line": by_command_line,
    "python": by_python,
    "mcp": by_mcp,
}


def to_be_reproduced(experiment: Experiment, env: Mapping[str, str], settings: Settings) -> str:
    """Send one off whose every output is to come out the same; the run's id."""
    kept = {"outputs": experiment.same} if experiment.timed else {}
    return by_command_line(experiment, env, {**settings, **kept})


def reproduced(experiment: Experiment, env: Mapping[str, str], name: str) -> dict[str, Any]:
    """The report of a run, or of a digest, that was reproduced to the bit."""
    report: dict[str, Any] = json.loads(
        sendoff(experiment, env, "reproduce", "--json", "--level", "L2", name)
    )
    assert (report["holds"], report["level"], report["difference"]) == (True, "L2", None), report
    assert report["files"] >= len(experiment.same)
    return report


def sendoff(experiment: Experiment, env: Mapping[str, str], *words: str) -> str:
    """What a command of sendoff prints, given in the script's folder."""
    return output(experiment, env, [str(TOOLS / "sendoff"), *words])


def output(experiment: Experiment, env: Mapping[str, str], command: list[str]) -> str:
    done = subprocess.run(
        command,
        cwd=experiment.project,
        env=_leaving_nothing(env),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def _leaving_nothing(env: Mapping[str, str]) -> dict[str, str]:
    """In the author's folder."""
    return {**env, "PYTHONDONTWRITEBYTECODE": "1"}


def index_of(experiment: Experiment, env: Mapping[str, str], run: str) -> dict[str, Any]:
    """The only index of a run that has ended well, as `show` tells it."""
    sendoff(experiment, env, "wait", run)
    (index,) = json.loads(sendoff(experiment, env, "show", "--json", run))["indexes"]
    found: dict[str, Any] = index
    return found


def check(experiment: Experiment, index: Mapping[str, Any]) -> None:
    """Whether all it reports was read where it is, and what it wrote was kept."""
    assert index["state"] == "succeeded"
    metrics = index["metrics"]
    assert set(experiment.metrics) <= set(metrics)
    first = next(iter(experiment.metrics))
    assert metrics[first]["source"].startswith(experiment.source)
    assert same(experiment, index)


def same(experiment: Experiment, index: Mapping[str, Any]) -> dict[str, str]:
    """The sha256 of the outputs that come out the same each time, by path."""
    found = {
        file["path"]: file["sha256"]
        for file in index["files"]
        if any(Path(file["path"]).match(pattern) for pattern in experiment.same)
    }
    matched = [any(Path(path).match(each) for path in found) for each in experiment.same]
    assert all(matched), (experiment.same, index["files"])
    return found


def stamp(text: str) -> float:
    """A time of the API as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
