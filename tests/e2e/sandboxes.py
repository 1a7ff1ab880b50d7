"""Sandboxes as users have them, made once and kept between runs of the tests."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.errors import PythonNotHere
from dispatcher.local import host_python
from packer.environment.interpreter import Interpreter
from tests.stack.locking import locked

EXAMPLE = Path(__file__).parents[2] / "examples" / "quantization"
TOOLS = Path(sys.executable).parent
UV = str(TOOLS / "uv")
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
            install = [UV, "pip", "install", "-q", "--compile-bytecode"]
            subprocess.run([*install, "--python", str(venv), "-r", str(requirements)], check=True)
            (venv / ".ready").touch()
    return venv


def empty(venv: Path) -> Path:
    """A virtual environment without packages."""
    make = [UV, "venv", "-q", "--clear", "--python", sys.executable, str(venv)]
    subprocess.run(make, check=True)
    return venv


def another_minor(cache: Path) -> Interpreter:
    """One of another minor that is on this machine; the test is skipped where there is none."""
    for minor in ("3.12", "3.13", "3.11"):
        if minor == f"3.{sys.version_info[1]}":
            continue
        try:
            return host_python.find(f"{minor}.0", cache)
        except PythonNotHere:
            continue
    pytest.skip("there is no other minor of Python on this machine")


def of_another(python: Interpreter, venv: Path) -> Path:
    """A virtual environment of this interpreter, without packages."""
    make = [UV, "venv", "-q", "--offline", "--python", python.executable, str(venv)]
    subprocess.run(make, check=True)
    return venv
