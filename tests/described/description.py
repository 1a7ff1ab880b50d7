"""Environments of other machines, described by data: what `importlib.metadata` says there.

The files beside this one were made from real wheels for each platform; requirements of extras are
left out, and of each distribution's files one native library is kept.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from packer.environment.distribution import Distribution
from packer.environment.environment import Environment, Installed
from packer.environment.installed_files import InstalledFile
from packer.environment.interpreter import Interpreter

SITE = "lib/python3.11/site-packages"
NAMES = ("macos-arm64", "linux-arm64", "linux-amd64-cpu")


def environment(name: str) -> Environment:
    """The environment that `<name>.toml` describes."""
    return read(tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text()))


def read(table: dict[str, Any]) -> Environment:
    """The environment that a table of that form describes."""
    return Environment(
        interpreter=_interpreter(table["platform"], table["python"]),
        packages=SITE,
        distributions=tuple(
            sorted(map(_installed, table["distribution"]), key=lambda each: each.distribution.name)
        ),
    )


def without(found: Environment, *names: str) -> Environment:
    """The same with some of it uninstalled."""
    kept = tuple(each for each in found.distributions if each.distribution.name not in names)
    return msgspec.structs.replace(found, distributions=kept)


def with_others(found: Environment, *tables: dict[str, Any]) -> Environment:
    """The same with more installed."""
    others = sorted(
        (*found.distributions, *map(_installed, tables)), key=lambda each: each.distribution.name
    )
    return msgspec.structs.replace(found, distributions=tuple(others))


def names(found: Environment) -> set[str]:
    """Of all that is installed."""
    return {each.distribution.name for each in found.distributions}


def _installed(table: dict[str, Any]) -> Installed:
    native = table.get("native", "")
    paths = [f"{SITE}/{native}"] if native else []
    return Installed(
        distribution=Distribution(
            name=table["name"],
            version=table["version"],
            site=f"/sandbox/{SITE}",
            metadata=f"{table['name']}.dist-info",
            has_record=True,
            tags=tuple(table.get("tags", ())),
            requires=tuple(table.get("requires", ())),
            source=table.get("source", {}),
        ),
        files=tuple(_file(path, table.get("changed", False)) for path in paths),
        recorded=dict.fromkeys(paths, "0" * 64),
    )


def _file(path: str, changed: bool) -> InstalledFile:
    return InstalledFile(
        path=path,
        source=f"/sandbox/{path}",
        size=1,
        stamp=(1, 1, 1),
        executable=False,
        sha256=("1" if changed else "0") * 64,
    )


def _interpreter(platform: str, version: str) -> Interpreter:
    return Interpreter(
        executable="/sandbox/bin/python",
        version=version,
        prefix="/sandbox",
        base_executable="/usr/bin/python3.11",
        purelib=f"/sandbox/{SITE}",
        platlib=f"/sandbox/{SITE}",
        scripts="/sandbox/bin",
        cache_tag="cpython-311",
        magic="a70d0d0a",
        platform=platform,
    )
