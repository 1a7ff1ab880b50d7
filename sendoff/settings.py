"""Every setting there is: its name, how its value is read, and what it is by default."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packer.project.snapshot import DEFAULT_LIMIT
from packer.record import Record
from sendoff.quantities import parse_duration, parse_size

TARGETS = ("local",)


class Settings(Record, frozen=True):
    """The values in force. Durations are seconds, sizes bytes, paths absolute."""

    target: str
    registry: Path
    store: Path
    cache: Path
    state: Path
    python: str
    gpu: str
    cpus: float
    memory: int
    timeout: float
    grace: float
    retries: int
    max_parallel: int
    group: str
    limit: int
    outputs: tuple[str, ...]
    env: dict[str, str]
    secrets: tuple[str, ...]


class Setting(Record, frozen=True):
    """One setting: in a file its `key`, in the environment its `variable`."""

    key: str
    read: Callable[[Any, Path], Any]
    """The value of what a source holds; paths are taken relative to the second argument."""
    default: Callable[[Mapping[str, str]], Any]
    """The embedded default, given the environment variables."""
    help: str

    @property
    def field(self) -> str:
        """The field of `Settings`."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "SENDOFF_" + self.field.upper()


def xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    """The folder of sendoff below an XDG base directory (XDG Base Directory Specification 0.8).

    A relative path in the variable is invalid and ignored, as the specification asks.
    """
    base = environ.get(variable, "")
    home = Path(environ.get("HOME") or "~").expanduser()
    return (Path(base) if base.startswith("/") else home / fallback) / "sendoff"


def _text(value: Any, _base: Path) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")  # noqa: TRY004 - a wrong value, as others
    return value


def _target(value: Any, base: Path) -> str:
    if _text(value, base) not in TARGETS:
        raise ValueError(f"there is no target {value!r}; there is {', '.join(TARGETS)}")
    return str(value)


def _path(value: Any, base: Path) -> Path:
    # Not resolved: a link on the way is the user's own choice of name.
    return Path(os.path.normpath(base / Path(_text(value, base)).expanduser()))


def _duration(value: Any, _base: Path) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    return parse_duration(value if isinstance(value, str) else repr(value))


def _size(value: Any, _base: Path) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return parse_size(value if isinstance(value, str) else repr(value))


def _count(value: Any, _base: Path) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise ValueError(f"{value!r} is not a whole number of 0 or more")
    return int(text)


def _cores(value: Any, _base: Path) -> float:
    try:
        cores = float(value) if isinstance(value, (int, float, str)) else -1.0
    except ValueError:
        cores = -1.0
    if isinstance(value, bool) or not 0 <= cores < float("inf"):
        raise ValueError(f"{value!r} is not a number of cores")
    return cores


def _list(value: Any, _base: Path) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(filter(None, (part.strip() for part in value.split(","))))
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts")


def _table(value: Any, base: Path) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(part, str) for part in value.values()):
        return dict(value)
    if isinstance(value, str) and all("=" in part for part in _list(value, base)):
        return dict(part.split("=", 1) for part in _list(value, base))
    raise ValueError(f"{value!r} is not a table of texts")


SETTINGS: tuple[Setting, ...] = (
    Setting(key="target", read=_target, default=lambda _: "local", help="where runs go"),
    Setting(
        key="registry",
        read=_path,
        default=lambda environ: xdg(environ, "XDG_DATA_HOME", ".local/share") / "registry",
        help="where images go: the directory of an OCI layout",
    ),
    Setting(
        key="store",
        read=_path,
        default=lambda environ: xdg(environ, "XDG_DATA_HOME", ".local/share") / "store",
        help="where runs and their results are kept",
    ),
    Setting(
        key="cache",
        read=_path,
        default=lambda environ: xdg(environ, "XDG_CACHE_HOME", ".cache"),
        help="what can be made again: wheels, known layers, unpacked images",
    ),
    Setting(
        key="state",
        read=_path,
        default=lambda environ: xdg(environ, "XDG_STATE_HOME", ".local/state"),
        help="what the local target knows of its processes",
    ),
    Setting(
        key="python",
        read=_text,
        default=lambda _: "",
        help="the sandbox's interpreter; empty: the active environment's, else that on PATH",
    ),
    Setting(key="gpu", read=_text, default=lambda _: "", help="GPU class, such as h100 or h100:2"),
    Setting(key="cpus", read=_cores, default=lambda _: 0.0, help="cores; 0: as the target likes"),
    Setting(key="memory", read=_size, default=lambda _: 0, help="memory; 0: as the target likes"),
    Setting(key="timeout", read=_duration, default=lambda _: 0.0, help="time limit; 0: none"),
    Setting(
        key="grace",
        read=_duration,
        default=lambda _: 30.0,
        help="time between asking a command to stop and making it",
    ),
    Setting(
        key="retries",
        read=_count,
        default=lambda _: 0,
        help="further attempts after a failure of the infrastructure",
    ),
    Setting(
        key="max-parallel",
        read=_count,
        default=lambda _: 0,
        help="indexes of a sweep that run at once; 0: as the target likes",
    ),
    Setting(key="group", read=_text, default=lambda _: "", help="a label shared by related runs"),
    Setting(
        key="limit",
        read=_size,
        default=lambda _: DEFAULT_LIMIT,
        help="size that the project's files may have together",
    ),
    Setting(
        key="outputs",
        read=_list,
        default=lambda _: (),
        help="patterns of result files; none: whatever the command writes",
    ),
    Setting(key="env", read=_table, default=lambda _: {}, help="environment variables of commands"),
    Setting(
        key="secrets",
        read=_list,
        default=lambda _: (),
        help="names of secret environment variables; never their values",
    ),
)

BY_KEY = {setting.key: setting for setting in SETTINGS}
