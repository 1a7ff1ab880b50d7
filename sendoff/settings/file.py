"""A configuration file as `sendoff init` writes it. Never over one that is there, unasked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packer import disk
from sendoff.errors import ConfigurationExists, InvalidSetting, UnknownSetting
from sendoff.nearest import nearest
from sendoff.settings.catalogue import BY_KEY

TABLE = "[tool.sendoff]"
_TITLE = (
    "# sendoff's settings; `sendoff config show` lists all there are, and where each is from.\n"
)


def checked(given: Mapping[str, Any], source: str, base: Path) -> dict[str, Any]:
    """The settings that were given, by key, each as a file may have it.

    Raises:
        UnknownSetting, InvalidSetting
    """
    found = {}
    for key, value in given.items():
        if key not in BY_KEY:
            raise UnknownSetting(key, source, nearest(key, BY_KEY))
        try:
            read = BY_KEY[key].read(value, base)
        except ValueError as error:
            raise InvalidSetting(key, f"--{key}", str(error)) from None
        found[key] = _as_written(value, read)
    return found


def _as_written(value: Any, read: Any) -> Any:
    """What a file says: quantities with their units ("30m", not 1800), all else as read."""
    if isinstance(read, (bool, tuple, dict)):
        return read
    if isinstance(read, (int, float)) and str(value).isdigit():
        return int(value)
    return value


def render(settings: Mapping[str, Any]) -> str:
    """The lines of a file (TOML 1.0): each setting below what it is for. Pure."""
    return "".join(
        f"# {BY_KEY[key].help}\n{key} = {_literal(value)}\n" for key, value in settings.items()
    )


def write(path: Path, settings: Mapping[str, Any], *, force: bool) -> None:
    """Write them to `path`, a file of sendoff's own, or into the table of a pyproject.toml.

    Raises:
        ConfigurationExists: there are settings, and `force` was not given, or would take others'.
        DiskFull: there is no room; what was there stays.
    """
    text = render(settings)
    own = path.name != "pyproject.toml"
    # As bytes, of which none but ours are to change: ends of lines neither.
    before = path.read_bytes().decode() if path.exists() else ""
    if own:
        if before and not force:
            raise ConfigurationExists(str(path), "sendoff init --force")
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, _TITLE + text)
        return
    if "[tool.sendoff" in before:
        raise ConfigurationExists(f"{path} {TABLE}", f"edit {path}")
    gap = "\n" * (bool(before) + (bool(before) and not before.endswith("\n")))
    added = f"{gap}{TABLE}\n{text}"
    _replace(path, before + (added.replace("\n", "\r\n") if "\r\n" in before else added))


def _replace(path: Path, text: str) -> None:
    """Whatever goes wrong, what a person has written is there still."""
    # A link is somebody's way to keep the file elsewhere.
    path = path.resolve()
    incoming = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk.room(path.name, path.parent):
            incoming.write_bytes(text.encode())
            if path.exists():
                shutil.copymode(path, incoming)
            incoming.replace(path)
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(name)} = {_literal(part)}" for name, part in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    # A JSON string is a TOML basic string, where it holds no lone surrogate.
    return json.dumps(str(value), ensure_ascii=False)
