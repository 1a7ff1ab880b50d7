"""Sandboxes as users have them, made once and kept between runs of the tests."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.stack.locking import locked

EXAMPLE = Path(__file__).parents[2] / "examples" / "quantization"
TOOLS = Path(sys.executable).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sendoff-tests"


def example() -> Path:
    """The virtual environment of examples/quantization: scikit-learn and what it needs."""
    return with_packages(EXAMPLE / "requirements.txt")


def with_packages(requirements: Path) -> Path:
    """A virtual environment with these packages and their .pyc, as pip would leave them."""
    name = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    venv = CACHE / "venvs" / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{name}.lock"):
        if not (venv / ".ready").exists():
            empty(venv)
            install = [TOOLS / "uv", "pip", "install", "-q", "--compile-bytecode"]
            subprocess.run([*install, "--python", venv, "-r", requirements], check=True)
            (venv / ".ready").touch()
    return venv


def empty(venv: Path) -> Path:
    """A virtual environment without packages."""
    make = [TOOLS / "uv", "venv", "-q", "--clear", "--python", sys.executable, venv]
    subprocess.run(make, check=True)
    return venv
