"""Every command that the README and docs/ show is run here, as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.sandboxes import EXAMPLE, TOOLS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(kind: str) -> list[tuple[str, str]]:
    """The fenced blocks of one kind: page and text."""
    fence = re.compile(rf"^```{kind}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(page.name, text) for page in PAGES for text in fence.findall(page.read_text())]


@pytest.fixture(scope="module")
def sandbox() -> Path:
    """The example's virtual environment, kept between runs of the tests."""
    return sandboxes.example()


@pytest.fixture(scope="module")
def environment(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    return {
        **os.environ,
        **{f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CACHE", "DATA", "STATE", "CONFIG")},
        "VIRTUAL_ENV": str(sandbox),
        # What is shown is run by the tests' own interpreter, and is about the sandbox's.
        "SENDOFF_PYTHON": f"{sandbox}/bin/python",
        "PATH": f"{sandbox}/bin:{TOOLS}:{os.environ['PATH']}",
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "quantization")


def test_the_pages_have_commands_to_run() -> None:
    shown = "\n".join(text for _, text in blocks("sh"))
    for verb in ("run", "sweep", "wait", "ps", "show", "logs", "results", "get", "compare", "pack"):
        assert f"sendoff {verb} " in shown


@pytest.mark.parametrize(("page", "text"), blocks("sh"))
def test_a_shown_command_works(
    page: str, text: str, project: Path, environment: dict[str, str]
) -> None:
    # `make demo` and `make test` are run by CI and by hand: they run this very test.
    script = "\n".join(line for line in text.splitlines() if not line.startswith("make "))
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}:\n{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_shown_python_works(
    page: str, text: str, project: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}:\n{done.stderr}"
    assert re.match(r"sha256:[0-9a-f]{64} 0\.\d+\n", done.stdout)
