"""A Python interpreter: which it is and where it keeps its packages."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from packer import disk, record
from packer.errors import EnvironmentGone, FreeThreaded, PythonMismatch, PythonNotFound
from packer.record import Record

OLDEST = (3, 10)
"""The oldest minor whose environments are packed: those before it have no security support."""

_SHIM = 4096
"""Bytes of a shim that are looked at: all of it."""

_MARK = b"\x00sendoff\x00"
# Written after a mark: a .pth file or sitecustomize may print. User site-packages are asked for
# whatever the variables say, because those are read again at each call.
_QUESTION = r"""
import importlib.util, json, os, platform, site, sys, sysconfig
paths = sysconfig.get_paths()
found = [paths["purelib"], paths["platlib"], *site.getsitepackages()]
answer = {
    "executable": sys.executable,
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "prefix": sys.prefix,
    "base_executable": getattr(sys, "_base_executable", sys.executable),
    "purelib": paths["purelib"],
    "platlib": paths["platlib"],
    "scripts": paths["scripts"],
    "cache_tag": sys.implementation.cache_tag or "",
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "platform": sysconfig.get_platform(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "virtual": sys.prefix != sys.base_prefix,
    "site_dirs": sorted({path for path in found if path in sys.path}, key=sys.path.index),
    "user_site": site.getusersitepackages() if site.ENABLE_USER_SITE else "",
}
sys.stdout.flush()
os.write(1, b"\0sendoff\0" + json.dumps(answer).encode())
"""


class Interpreter(Record, frozen=True):
    """What one interpreter says of itself. Paths are absolute paths of this machine."""

    executable: str
    version: str
    """Full version, such as "3.11.7"."""
    prefix: str
    """`sys.prefix`: the virtual environment, or the installation."""
    base_executable: str
    """The interpreter a virtual environment was made from; itself outside one."""
    purelib: str
    platlib: str
    scripts: str
    cache_tag: str
    """Such as "cpython-311": part of the name of each .pyc."""
    magic: str
    """Hex of `importlib.util.MAGIC_NUMBER`: the bytecode's format."""
    platform: str
    """`sysconfig.get_platform()`: "linux-x86_64"."""
    implementation: str = "CPython"
    free_threaded: bool = False
    """Whether it was built without the global lock (PEP 703), for extensions of its own."""
    virtual: bool = True
    """Whether `prefix` is a virtual environment."""
    site_dirs: tuple[str, ...] = ()
    """Directories of installed packages, in the order of `sys.path`; the first wins."""
    user_site: str = ""
    """The user's own packages, where this interpreter reads them; else empty."""

    @property
    def minor(self) -> str:
        """Such as "3.11"."""
        return ".".join(self.version.split(".")[:2])


def find(python: str | None = None) -> Path:
    """The sandbox's interpreter: `python` (a path or a name), or the one a shell would start.

    The active virtual environment's comes first, then the first `python` or `python3` on PATH.

    Raises:
        PythonNotFound: there is none.
        EnvironmentGone: the active environment has none. Another one's packages are never taken
            for those that were meant.
    """
    if python:
        named = shutil.which(Path(python).expanduser())
        if not named:
            raise PythonNotFound(python)
        return Path(named).absolute()
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        found = Path(active).absolute() / "bin/python"
        if not os.access(found, os.X_OK):
            raise EnvironmentGone(str(found))
        return found
    first = shutil.which("python") or shutil.which("python3")
    if not first:
        raise PythonNotFound("python")
    return Path(first).absolute()


def passed_over(project: Path, taken: Interpreter) -> Path | None:
    """The project's own `.venv`, where `taken` is another and no environment is active."""
    folder = project / ".venv"
    if os.environ.get("VIRTUAL_ENV") or not os.access(folder / "bin/python", os.X_OK):
        return None
    return None if os.path.realpath(taken.prefix) == os.path.realpath(folder) else folder


def describe(executable: Path, cache: Path) -> Interpreter:
    """What `executable` says of itself: asked once, remembered until it changes.

    A version manager's shim starts now one interpreter and now another. It is asked each time,
    but for pyenv's, whose choice can be followed: its shims take a quarter of a second to start.

    Raises:
        PythonNotFound: it cannot be run.
        PythonMismatch: it is not CPython, or too old.
        FreeThreaded: it is a build without the global lock.
    """
    real = executable.resolve()
    pyenv = _pyenv_of(real)
    memory = cache / "interpreters" / f"{_key(executable, real, pyenv)}.json"
    try:
        return record.decode(memory.read_bytes(), Interpreter)
    except (OSError, ValueError):
        pass
    interpreter = _ask(executable)
    if _is_lasting(Path(interpreter.executable), real, pyenv):
        disk.replace(memory, record.encode(interpreter))
    return interpreter


def _ask(executable: Path) -> Interpreter:
    from packer import process

    try:
        answer = process.run([str(executable), "-E", "-B", "-c", _QUESTION], timeout=60)
        text = answer.rpartition(_MARK)[2]
        interpreter = record.decode(text, Interpreter)
    except process.ProgramFailed as error:
        raise PythonNotFound(str(executable), error.evidence() or error.what()) from error
    except ValueError as error:
        raise PythonNotFound(str(executable), f"it is no Python: {error}") from error
    minor = tuple(int(number) for number in interpreter.minor.split("."))
    if interpreter.implementation != "CPython" or minor < OLDEST:
        raise PythonMismatch(
            interpreter.executable, interpreter.implementation, interpreter.version
        )
    if interpreter.free_threaded:
        raise FreeThreaded(interpreter.executable, interpreter.implementation, interpreter.version)
    return interpreter


def _is_lasting(answered: Path, real: Path, pyenv: Path | None) -> bool:
    """Whether `real` is the interpreter that answered, or a shim whose choice is in the key."""
    if pyenv:
        return answered.parent.resolve().is_relative_to(pyenv / "versions")
    return answered.resolve() == real


def _key(executable: Path, real: Path, pyenv: Path | None) -> str:
    """Everything the answer depends on, as the cheapest facts there are."""
    facts = [_QUESTION, str(executable), str(real), _stamp(real)]
    # Both places where PEP 405 looks for the file that makes an environment virtual.
    facts += [
        _stamp(executable.parent / "pyvenv.cfg"),
        _stamp(executable.parent.parent / "pyvenv.cfg"),
    ]
    facts += [os.environ.get("HOME", ""), *(_choice(pyenv) if pyenv else ())]
    return hashlib.sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:32]


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _pyenv_of(real: Path) -> Path | None:
    """The root of pyenv, where `real` is one of its shims; None for anything else."""
    if real.parent.name != "shims":
        return None
    try:
        with real.open("rb") as file:
            head = file.read(_SHIM)
    except OSError:
        return None
    return real.parent.parent if head.startswith(b"#!") and b"PYENV_ROOT=" in head else None


def _choice(pyenv: Path) -> list[str]:
    """What pyenv chooses a version by: its variables and files, and which versions there are."""
    starts = [os.environ.get("PYENV_DIR", ""), os.environ.get("PWD", ""), str(Path.cwd())]
    files = [pyenv / "version", pyenv / "versions"]
    for start in filter(None, starts):
        files += [folder / ".python-version" for folder in (Path(start), *Path(start).parents)]
    return [os.environ.get("PYENV_VERSION", ""), *starts, *map(_stamp, files)]
