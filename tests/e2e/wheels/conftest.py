"""Real wheels from the package index, fetched once and kept between runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uv

from packer.environment import interpreter
from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock, WheelPin
from packer.record import encode
from packer.wheels.wheelhouse import Arrivals
from tests.stack.locking import locked

UV = uv.find_uv_bin()
PINS = Path(__file__).with_name("scientific.txt")
CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sendoff-tests" / "wheels"
)
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "manylinux2010", "manylinux1")


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    merged = {**os.environ, **env} if env else None
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=merged)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def hashed(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pin_of(path: Path) -> WheelPin:
    name, version = path.name.split("-")[:2]
    return WheelPin(
        name=name.lower().replace("_", "-"),
        version=version,
        filename=path.name,
        sha256=hashed(path),
        size=path.stat().st_size,
    )


class Wheels:
    """Wheels on this machine and the lock that pins them all."""

    def __init__(self, paths: list[Path], python: str) -> None:
        self.by_pin = {pin_of(path): path for path in paths}
        self.paths = {pin.sha256: path for pin, path in self.by_pin.items()}
        self.lock = Lock(python=python, platform="linux/amd64", wheels=tuple(self.by_pin))

    def fetch(self, _: tuple[WheelPin, ...]) -> Arrivals:
        yield from self.paths.items()

    def only(self, *names: str) -> Wheels:
        chosen = [path for pin, path in self.by_pin.items() if pin.name in names]
        assert len(chosen) == len(names)
        return Wheels(chosen, self.lock.python)


@pytest.fixture(scope="session")
def scientific_wheels() -> Wheels:
    wanted = dict(
        line.split(" --hash=sha256:")[::-1]
        for line in PINS.read_text().splitlines()
        if not line.startswith("#")
    )
    CACHE.mkdir(parents=True, exist_ok=True)
    found = {hashed(path): path for path in CACHE.glob("*.whl")}
    if set(wanted) - set(found):
        tags = [f"--platform={tag}_x86_64" for tag in PLATFORMS]
        options = ("--no-deps", "--only-binary=:all:", "--require-hashes", "--python-version=3.11")
        pip = (sys.executable, "-m", "pip", "download", "--quiet")
        run(*pip, *options, *tags, "--dest", CACHE, "--requirement", PINS)
        found = {hashed(path): path for path in CACHE.glob("*.whl")}
    return Wheels(sorted(found[digest] for digest in wanted), "3.11.0")


@pytest.fixture(scope="session")
def sandbox(scientific_wheels: Wheels) -> Path:
    """All the wheels installed by uv, with bytecode, into a virtual environment.

    It is kept for the next run, as long as wheels, uv and interpreter are the same.
    """
    here = Path(run(UV, "python", "find", "--no-project", "3.11").strip()).resolve()
    made_from = (*scientific_wheels.paths, run(UV, "--version"), str(here))
    name = hashlib.sha256("".join(made_from).encode()).hexdigest()[:12]
    venv = CACHE.parent / "venvs" / f"wheels-{name}"
    ready = venv.with_suffix(".ready")
    with locked(venv.with_suffix(".lock")):
        if not ready.exists():
            run(UV, "venv", "--quiet", "--clear", "--relocatable", "--python", here, venv)
            paths = scientific_wheels.paths.values()
            options = ("--quiet", "--no-deps", "--no-index", "--no-config", "--compile-bytecode")
            run(UV, "pip", "install", *options, "--python", venv / "bin" / "python", *paths)
            ready.touch()
    return venv


@pytest.fixture(scope="session")
def python(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    return interpreter.describe(sandbox / "bin" / "python", tmp_path_factory.mktemp("cache"))


class Building:
    """Starts `building.py`; each job has a root of its own."""

    def __init__(self, wheels: Wheels, python: Interpreter, folder: Path) -> None:
        self._wheels, self._python, self._folder = wheels, python, folder

    def start(
        self,
        root: Path,
        *names: str,
        packer: Path | str = sys.executable,
        umask: str = "022",
        **env: str,
    ) -> subprocess.Popen[bytes]:
        wheels = self._wheels.only(*names)
        job = {
            "root": str(root),
            "umask": umask,
            "lock": encode(wheels.lock).decode(),
            "interpreter": encode(self._python).decode(),
            "wheels": {digest: str(path) for digest, path in wheels.paths.items()},
        }
        path = self._folder / f"{root.name}.json"
        path.write_text(json.dumps(job))
        repository = Path(__file__).parents[3]
        return subprocess.Popen(
            (packer, Path(__file__).with_name("building.py"), path),
            env={**os.environ, "PYTHONPATH": str(repository), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def layers(self, root: Path, *names: str, **options: str) -> list[list[object]]:
        out, said = (process := self.start(root, *names, **options)).communicate()
        assert not process.returncode, said.decode()
        return json.loads(out)


@pytest.fixture
def building(scientific_wheels: Wheels, python: Interpreter, tmp_path: Path) -> Building:
    return Building(scientific_wheels, python, tmp_path)


@pytest.fixture(scope="session")
def tool() -> Callable[..., str]:
    """Run uv."""
    return lambda *arguments: run(UV, *arguments)


def pythons() -> dict[str, str]:
    """Minor → an interpreter of this machine."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {}
    for minor in ("3.11", "3.12", "3.13", "3.14"):
        candidates = [*map(str, sorted(pyenv.glob(f"{minor}.*/bin/python")))]
        installed = shutil.which(f"python{minor}", path="/usr/local/bin:/usr/bin")
        if installed or candidates:
            found[minor] = installed or candidates[-1]
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with `python_here` runs with every Python minor that the machine has."""
    if "python_here" in metafunc.fixturenames:
        here = pythons()
        metafunc.parametrize("python_here", here.values(), ids=here.keys())
