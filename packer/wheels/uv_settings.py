"""Indexes as uv finds them: its variables, its files of the project, the user and the system.

uv reads them by itself where it is asked for wheels. They are read here for what it is not asked:
source archives, and the bytes of wheels.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from packer.environment.distribution import normalized
from packer.record import Record

_ANONYMOUS = re.compile(r"[^A-Z0-9]")


class UvIndex(Record, frozen=True):
    """One index."""

    url: str
    """As it is written, with a login if it has one; `file:` for a directory."""
    name: str = ""
    default: bool = False
    explicit: bool = False
    """Only for distributions whose source it is."""
    flat: bool = False
    """One page of links, and no page for each name."""


class UvSettings(Record, frozen=True):
    """What uv is told of indexes."""

    indexes: tuple[UvIndex, ...] = ()
    """The first is asked first, and the first default one last."""
    links: tuple[str, ...] = ()
    """Pages and directories of links."""
    no_index: bool = False
    chosen: dict[str, tuple[str, ...]] = {}
    """Distribution → names of the only indexes it is taken from (`tool.uv.sources`)."""

    @property
    def default(self) -> UvIndex | None:
        """The index that stands for PyPI."""
        return next((each for each in self.indexes if each.default), None)

    def urls(self) -> list[str]:
        """Simple indexes for any distribution, in uv's order."""
        further = [each for each in self.indexes if not (each.explicit or each.default)]
        default = self.default
        return [each.url for each in (*further, default) if each and not each.flat]

    def urls_of(self, name: str) -> tuple[str, ...]:
        """The simple indexes that a distribution of `chosen` is taken from."""
        return tuple(
            each.url
            for chosen in self.chosen.get(name, ())
            for each in self.indexes
            if each.name == chosen and not each.flat
        )

    def logins(self, environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
        """URL → user and password, of those that variables name them for."""
        for index in self.indexes:
            prefix = "UV_INDEX_" + _ANONYMOUS.sub("_", index.name.upper())
            user = environ.get(f"{prefix}_USERNAME", "")
            password = environ.get(f"{prefix}_PASSWORD", "")
            if index.name and (user or password):
                yield index.url, (user, password)


class _Tables(NamedTuple):
    """The settings of one file."""

    place: Path
    """What relative paths in it start from."""
    settings: dict[str, Any]


def read(project: Path, environ: Mapping[str, str] = os.environ) -> UvSettings:
    """The settings for whoever works in `project`. A file that cannot be read has none."""
    project = project.absolute()
    found = list(_files(project, environ))
    named: dict[str | int, UvIndex] = {}
    for number, index in enumerate([*_of_variables(environ), *_of_files(found)]):
        # Of one name the first holds.
        named.setdefault(index.name or number, index)
    own = _project(project)
    for index in own.indexes:
        named.setdefault(index.name, index)
    return UvSettings(
        indexes=tuple(named.values()),
        links=(*environ.get("UV_FIND_LINKS", "").split(","), *_values(found, "find-links")),
        no_index=next(_values(found, "no-index"), False) is True,
        chosen=own.chosen,
    )


def files(project: Path, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Every file that may hold such settings, whether it is there or not."""
    here = project.absolute()
    near = [
        folder / name for folder in (here, *here.parents) for name in ("uv.toml", "pyproject.toml")
    ]
    chosen = environ.get("UV_CONFIG_FILE")
    further = [_of_user(environ), *_of_system(environ)]
    return [*near, *further, Path(chosen)] if chosen else [*near, *further]


def _files(project: Path, environ: Mapping[str, str]) -> Iterator[_Tables]:
    """The files that hold, the strongest first."""
    chosen = environ.get("UV_CONFIG_FILE")
    if environ.get("UV_NO_CONFIG", "").lower() in {"1", "true", "yes", "on"}:
        return
    if chosen:
        yield _Tables(Path(chosen).parent, _toml(Path(chosen)))
        return
    root = _workspace(project) or project
    for folder in (root, *root.parents):
        path = folder / "uv.toml"
        settings = _toml(path) if path.is_file() else _tool(folder)
        if path.is_file() or settings:
            yield _Tables(folder, settings)
            break
    user = _of_user(environ)
    yield _Tables(user.parent, _toml(user))
    system = next((path for path in _of_system(environ) if path.is_file()), None)
    if system:
        yield _Tables(system.parent, _toml(system))


def _of_user(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"


def _of_system(environ: Mapping[str, str]) -> list[Path]:
    """Only the first that is there holds."""
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return [Path(folder) / "uv" / "uv.toml" for folder in (*filter(None, folders), "/etc")]


def _workspace(project: Path) -> Path | None:
    """The root of the workspace that a project is a member of; its members' settings are none."""
    for folder in (project, *project.parents):
        workspace = _tool(folder).get("workspace")
        if isinstance(workspace, dict):
            members, excluded = workspace.get("members", ()), workspace.get("exclude", ())
            inside = project.relative_to(folder).as_posix()
            among = _is_among(inside, members) and not _is_among(inside, excluded)
            if folder == project or among:
                return folder
    return None


def _is_among(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(path, each) for each in patterns)


class _Project(NamedTuple):
    """What only a project's own file says."""

    indexes: tuple[UvIndex, ...]
    chosen: dict[str, tuple[str, ...]]


def _project(project: Path) -> _Project:
    """Sources of a project's distributions, and the indexes that it names for them."""
    indexes: list[UvIndex] = []
    chosen: dict[str, tuple[str, ...]] = {}
    for folder in dict.fromkeys((project, _workspace(project) or project)):
        table = _tool(folder)
        # Those of a member are for its sources, and for nothing else.
        indexes += [
            replace(index, default=False, explicit=True)
            for index in _of_files([_Tables(folder, {"index": table.get("index")})])
            if index.name
        ]
        for name, given in _table(table.get("sources")).items():
            sources = [_table(each) for each in (given if isinstance(given, list) else [given])]
            places = tuple(str(each["index"]) for each in sources if "index" in each)
            if places:
                chosen.setdefault(normalized(name), places)
    return _Project(tuple(indexes), chosen)


def _of_variables(environ: Mapping[str, str]) -> Iterator[UvIndex]:
    for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        for given in environ.get(variable, "").split():
            yield _given(given)
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if environ.get(variable):
            yield _given(environ[variable], default=True)


def _given(text: str, *, default: bool = False) -> UvIndex:
    """An index as a variable has it: "https://…", or "pytorch=https://…"."""
    name, named, url = text.partition("=")
    if not named or "://" in name:
        name, url = "", text
    return UvIndex(url=_url(url, Path.cwd()), name=name, default=default)


def _of_files(found: Iterable[_Tables]) -> Iterator[UvIndex]:
    found = list(found)
    for place, settings in found:
        indexes = settings.get("index")
        for table in map(_table, indexes if isinstance(indexes, list) else ()):
            if isinstance(table.get("url"), str):
                yield UvIndex(
                    url=_url(table["url"], place),
                    name=str(table.get("name", "")),
                    default=table.get("default") is True,
                    explicit=table.get("explicit") is True,
                    flat=table.get("format") == "flat",
                )
    for url in _values(found, "extra-index-url"):
        yield UvIndex(url=url)
    for url in _values(found, "index-url"):
        yield UvIndex(url=url, default=True)


def _values(found: Iterable[_Tables], key: str) -> Iterator[Any]:
    """What files say of a setting, those for `uv pip` first; paths and URLs as URLs."""
    tables = [(place, _table(settings.get("pip"))) for place, settings in found]
    tables += [(place, settings) for place, settings in found]
    for place, table in tables:
        value = table.get(key)
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield _url(each, place) if isinstance(each, str) else each


def _url(text: str, place: Path) -> str:
    return text if "://" in text else (place / text).absolute().as_uri()


def _tool(folder: Path) -> dict[str, Any]:
    return _table(_table(_toml(folder / "pyproject.toml").get("tool")).get("uv"))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
