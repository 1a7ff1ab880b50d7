"""A project, an interpreter with a few packages, and Python programs that send functions off."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.desk import Desk, environment

ROOT = Path(__file__).parents[3]
PATIENCE = 120


SANDBOX = ("numpy", "joblib", "hydra", "omegaconf", "antlr4", "yaml", "_yaml", "_sendoff")


def beside(folder: Path) -> Path:
    """sendoff and what it needs, without what the sandbox has a version of its own of."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/uv").symlink_to(sandboxes.TOOLS / "uv")
    for package in ("sendoff", "packer", "dispatcher", "hydra_plugins"):
        (folder / package).symlink_to(ROOT / package)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(SANDBOX) and not (folder / path.name).exists():
            (folder / path.name).symlink_to(path)
    return folder


class Workbench(Desk):
    """Programs here are run by the sandbox's own interpreter, which sees sendoff beside it."""

    def __init__(self, folder: Path, sandbox: Path, variables: dict[str, str]) -> None:
        self.python = f"{sandbox}/bin/python"
        own = {
            "PYTHONPATH": str(beside(folder / "beside")),
            "PYTHONWARNINGS": "error",
            "SENDOFF_WARM": "0",
        }
        super().__init__(folder, environment(sandbox, **own, **variables))
        # Nobody has it active: a function is of the interpreter that runs it.
        del self.env["VIRTUAL_ENV"]

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What a command of the sandbox's sendoff prints and exits with."""
        return self.run("-m", "sendoff", *arguments, **env)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A Python program of the project."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.project,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ran(self, *arguments: str, **env: str) -> str:
        """What a program that succeeds prints."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def program(self, text: str, **env: str) -> str:
        """What this program prints, in a file outside the project."""
        path = self.project.parent / "program.py"
        path.write_text(text)
        return self.ran(
            str(path), **{"PYTHONPATH": f"{self.project}:{self.env['PYTHONPATH']}", **env}
        )


@pytest.fixture(scope="session")
def science() -> Path:
    """A sandbox with NumPy, joblib and Hydra."""
    return sandboxes.with_packages(Path(__file__).with_name("packages.txt"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bench(tmp_path: Path, science: Path, cache: Path) -> Workbench:
    return Workbench(tmp_path, science, {"XDG_CACHE_HOME": str(cache)})
