"""A project in a sandbox without packages, on this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.mcp.agents import PATIENCE, SENDOFF

TRAIN = """\
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
lr = parser.parse_args().lr
for step in range(3):
    print(f"step {step} of 3\\r", end="")
print(f"loss: {(lr - 0.3) ** 2:.6f}")
json.dump({"loss": (lr - 0.3) ** 2}, open("metrics.json", "w"))
"""
GATED = """\
import pathlib, time
print("started", flush=True)
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.01)
"""


class Place:
    """A project, its server's environment, and the command line beside it."""

    def __init__(self, root: Path, sandbox: Path, cache: Path) -> None:
        self.root, self.project, self.gate = root, root / "project", root / "gate"
        self.project.mkdir()
        ours = ("SENDOFF", "XDG")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        self.env = {
            **kept,
            "HOME": str(root),
            "VIRTUAL_ENV": str(sandbox),
            "PATH": f"{sandbox}/bin:{sandboxes.TOOLS}:/usr/bin:/bin",
            "XDG_CACHE_HOME": str(cache),
            "SENDOFF_WARM": "0",
        }
        self.write("train.py", TRAIN)
        self.write("gated.py", GATED.format(gate=str(self.gate)))

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SENDOFF, *arguments],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path, sandbox: Path, cache: Path) -> Iterator[Place]:
    made = Place(tmp_path, sandbox, cache)
    yield made
    made.gate.touch()
    for run in json.loads(made("ps", "--json").stdout or "[]"):
        if run["state"] in ("queued", "running"):
            made("cancel", run["id"])
