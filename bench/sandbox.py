"""Real sandboxes for the benchmarks: virtual environments and projects, made once and kept."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sendoff-bench"
UV = str(Path(sys.executable).with_name("uv"))
SENDOFF = str(Path(sys.executable).with_name("sendoff"))

_PATIENCE = 60.0

SCIENCE = (
    "numpy==2.3.4",
    "scipy==1.16.2",
    "pandas==2.3.3",
    "scikit-learn==1.7.2",
    "matplotlib==3.10.7",
)


def venv(name: str, requirements: tuple[str, ...]) -> Path:
    """A virtual environment with these packages and their .pyc, as pip would leave them."""
    folder = CACHE / "venvs" / name
    stamp = folder / ".requirements"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        base = os.path.realpath(sys.executable)
        subprocess.run([UV, "venv", "-q", "--clear", "--python", base, folder], check=True)
        if requirements:
            subprocess.run(
                [
                    UV,
                    "pip",
                    "install",
                    "-q",
                    "--compile-bytecode",
                    "--python",
                    folder / "bin/python",
                    *requirements,
                ],
                check=True,
            )
        stamp.write_text(wanted)
    return folder


def project(folder: Path, files: int, size: int) -> Path:
    """`files` source files of `size` bytes each, in folders of fifty; the same bytes every time."""
    words = random.Random(20)  # noqa: S311 - reproducible content, not a secret
    for number in range(files):
        path = folder / f"part{number // 50:03}" / f"module{number:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        line = f"value_{number} = {words.getrandbits(200)}\n"
        path.write_text((line * (size // len(line) + 1))[:size])
    return folder


def environment(home: Path, sandbox: Path) -> dict[str, str]:
    """A client's environment with this sandbox active and all of sendoff's folders under `home`.

    No process is kept warm in it, see `warm`.
    """
    return {
        **os.environ,
        "VIRTUAL_ENV": str(sandbox),
        "PATH": f"{sandbox}/bin:{os.environ['PATH']}",
        "XDG_CACHE_HOME": f"{home}/cache",
        "XDG_DATA_HOME": f"{home}/data",
        "XDG_STATE_HOME": f"{home}/state",
        "XDG_CONFIG_HOME": f"{home}/config",
        "SENDOFF_WARM": "0",
    }


@contextmanager
def warm(
    folder: Path, work: Callable[[dict[str, str]], Callable[[], object]]
) -> Iterator[dict[str, str]]:
    """Variables with which commands are done by a warm process, as all but a user's first are.

    `work` makes a command with them: running it has the process started, which is ended afterwards.
    """
    folder.mkdir(mode=0o700)
    wanted = {"SENDOFF_WARM": "10", "XDG_RUNTIME_DIR": str(folder), "CI": ""}
    end = time.monotonic() + _PATIENCE
    while not any(path.is_socket() for path in folder.rglob("warm-*")):
        if time.monotonic() > end:
            raise RuntimeError("no warm process has come up")
        work(wanted)()
    try:
        yield wanted
    finally:
        for lock in folder.rglob("warm-*.lock"):
            os.kill(int(lock.read_text()), signal.SIGTERM)
