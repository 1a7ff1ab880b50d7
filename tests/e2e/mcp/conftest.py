"""A project in a sandbox without packages, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.desk import GatedDesk, environment

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


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path, sandbox: Path, cache: Path) -> Iterator[GatedDesk]:
    made = GatedDesk(tmp_path, environment(sandbox, XDG_CACHE_HOME=str(cache), SENDOFF_WARM="0"))
    made.write("train.py", TRAIN)
    yield made
    made.clear()
