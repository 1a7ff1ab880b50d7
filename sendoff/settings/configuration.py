"""Where settings come from: flags > SENDOFF_* > project > user > the embedded default."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from packer.record import Record
from sendoff.errors import InvalidConfigurationFile, InvalidSetting, UnknownSetting
from sendoff.nearest import nearest
from sendoff.settings.catalogue import BY_KEY, SETTINGS, Settings
from sendoff.settings.setting import xdg

_RESERVED = {
    "SENDOFF_ROOT",
    "SENDOFF_OUTPUT_DIR",
    "SENDOFF_DEBUG",
    "SENDOFF_WARM",
    "SENDOFF_REGISTRY_USERNAME",
    "SENDOFF_REGISTRY_PASSWORD",
    "SENDOFF_MCP_TOKEN",
}
"""The first two are set for the command, so present when sendoff is called inside a run; the last
three are a login and a token, which no setting may hold."""


class Source(Record, frozen=True):
    """One place that has settings."""

    name: str
    """For people: "--timeout", "SENDOFF_TIMEOUT", "/p/pyproject.toml [tool.sendoff]"."""
    base: Path
    """What relative paths in it are relative to."""
    values: dict[str, Any]
    """By key, as found."""


class Configuration(Record, frozen=True):
    """The settings in force and where each was found, by key."""

    settings: Settings
    sources: dict[str, str]


def load(
    project: Path, flags: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> Configuration:
    """The configuration of `project`; a flag that is None was not given.

    Raises:
        InvalidConfigurationFile: a file is not TOML, or has something else for the table.
        UnknownSetting: a source has a key we don't know.
        InvalidSetting: a value can't be read.
    """
    environ = os.environ if environ is None else environ
    sources = tuple(_sources(project, flags, environ))
    for source in sources:
        for key in source.values:
            if key not in BY_KEY:
                raise UnknownSetting(key, source.name, nearest(key, BY_KEY))
    found = {setting.key: _find(setting.key, sources, environ) for setting in SETTINGS}
    values = {BY_KEY[key].field: value for key, (value, _) in found.items()}
    return Configuration(
        settings=Settings(**values), sources={key: name for key, (_, name) in found.items()}
    )


def _find(key: str, sources: tuple[Source, ...], environ: Mapping[str, str]) -> tuple[Any, str]:
    for source in sources:
        if key in source.values:
            name = source.name.replace("*", key)
            try:
                return BY_KEY[key].read(source.values[key], source.base), name
            except ValueError as error:
                raise InvalidSetting(key, name, str(error)) from None
    return BY_KEY[key].default(environ), "default"


def _sources(
    project: Path, flags: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[Source]:
    here = Path.cwd()
    given = {name.replace("_", "-"): value for name, value in flags.items() if value is not None}
    yield Source(name="--*", base=here, values=given)
    yield from _variables(environ, here)
    yield from _file(project / "sendoff.toml")
    yield from _file(project / "pyproject.toml", ("tool", "sendoff"))
    yield from _file(xdg(environ, "XDG_CONFIG_HOME", ".config") / "config.toml")


def _variables(environ: Mapping[str, str], here: Path) -> Iterator[Source]:
    known = {setting.variable: setting.key for setting in SETTINGS}
    for variable in sorted(name for name in environ if name.startswith("SENDOFF_")):
        if variable in known:
            # `SENDOFF_STORE= sendoff …` and an unset variable in a script's "$X" say nothing.
            if environ[variable]:
                values = {known[variable]: environ[variable]}
                yield Source(name=variable, base=here, values=values)
        elif variable not in _RESERVED and (near := nearest(variable, known, cutoff=0.93)):
            # Other variables may share the prefix; one a letter off from ours is a slip.
            raise UnknownSetting(variable, "the environment", near)


def _file(path: Path, table: tuple[str, ...] = ()) -> Iterator[Source]:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise InvalidConfigurationFile(str(path), error.strerror or str(error)) from None
    if table and table[-1].encode() not in data:
        # Most pyproject.toml files say nothing of sendoff; reading them would cost milliseconds.
        return
    import tomllib

    try:
        content: Any = tomllib.loads(data.decode())
    except ValueError as error:
        raise InvalidConfigurationFile(str(path), str(error)) from None
    for name in table:
        content = content.get(name, {})
        if not isinstance(content, dict):
            raise InvalidConfigurationFile(str(path), f"{name} is {content!r}, and no table")
    if content:
        name = f"{path} [{'.'.join(table)}]" if table else str(path)
        yield Source(name=name, base=path.parent, values=content)


def as_builtins(value: Any) -> Any:
    """A setting's value as JSON has it."""
    return msgspec.to_builtins(value, enc_hook=str)
