"""Site directories: where an interpreter's distributions lie, and what that is in the image."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from packer import image_paths
from packer.environment import distribution
from packer.environment.distribution import Distribution
from packer.environment.installed_files import InstalledFile, Root
from packer.environment.interpreter import Interpreter
from packer.errors import DistUnresolvable
from packer.record import Record

_VENV_FILES = frozenset(
    {"_virtualenv.py", "_virtualenv.pth", "distutils-precedence.pth", "README.txt", ".lock"}
)
"""What venv, virtualenv, uv and CPython themselves put into a site directory."""

_VENV_COMMANDS = ("activate", "Activate", "deactivate", "python", "pydoc.bat")
_DATA = ("share", "etc")
_HEADER = re.compile(r"include/(site/)?python[^/]+/(?P<name>[^/]+)/(?P<below>.+)")


class Sites(Record, frozen=True):
    """The site directories of one interpreter, in the order of `sys.path`, each once."""

    directories: tuple[str, ...]
    packages: str
    """What they become below `image_paths.PREFIX`."""
    roots: tuple[Root, ...]
    """The directories whose every file is looked at."""

    def locate(self, found: Distribution, recorded: str) -> tuple[str, str]:
        """Path below the image's prefix, and on this machine, of a path in RECORD.

        Raises:
            DistUnresolvable: it lies outside the distribution's prefix.
        """
        if recorded[0] != "/" and ".." not in recorded:
            return f"{self.packages}/{recorded}", f"{found.site}/{recorded}"
        source = os.path.normpath(f"{found.site}/{recorded}" if recorded[0] != "/" else recorded)
        for site in self.directories:
            if source.startswith(site + "/"):
                return self.packages + source[len(site) :], source
        # site is <prefix>/lib/pythonX.Y/site-packages, whatever those are called.
        prefix = str(PurePosixPath(found.site).parents[2]).rstrip("/")
        if not source.startswith(prefix + "/"):
            raise DistUnresolvable(
                found.name,
                "it has files outside the environment",
                recorded,
                f"install it from a wheel: python -m pip install --force-reinstall {found.name}",
            )
        return self._placed(found.name, source[len(prefix) + 1 :]), source

    def _placed(self, name: str, path: str) -> str:
        """Headers have another directory outside a virtual environment, and the name as typed."""
        header = _HEADER.fullmatch(path)
        if not header or distribution.normalized(header["name"]) != name:
            return path
        minor = self.packages.split("/")[1].removeprefix("python")
        return f"{image_paths.headers(minor, name)}/{header['below']}"

    def distributions(self) -> Iterator[tuple[Distribution, bool]]:
        """Each distribution, and whether one of its name comes before it on `sys.path`."""
        seen: set[str] = set()
        for site in self.directories:
            names = sorted(entry.name for entry in Path(site).iterdir())
            for name in filter(distribution.is_metadata, names):
                found = distribution.read(Path(site), name)
                if found is not None:
                    yield found, found.name in seen
                    seen.add(found.name)

    def is_venv(self, file: InstalledFile) -> bool:
        """Whether a file of no distribution is part of what makes an environment virtual."""
        folder, name = os.path.split(file.path)
        if folder == "bin":
            return name.startswith(_VENV_COMMANDS)
        return folder == self.packages and name in _VENV_FILES


def of(interpreter: Interpreter) -> Sites:
    """The site directories of `interpreter`.

    A virtual environment is its packages' alone, so its scripts and data are looked at as well; of
    an installation only the site directories are.
    """
    found = list(interpreter.site_dirs or (interpreter.purelib, interpreter.platlib))
    user = interpreter.user_site
    if user and not os.environ.get("PYTHONNOUSERSITE"):
        found.insert(0, user)
    once: dict[str, str] = {}
    for path in filter(os.path.isdir, found):
        once.setdefault(os.path.realpath(path), path)
    packages = image_paths.site_packages(interpreter.minor)
    roots = [Root(source=path, path=packages) for path in once.values()]
    if interpreter.virtual:
        roots.append(Root(source=interpreter.scripts, path="bin"))
        roots += [Root(source=f"{interpreter.prefix}/{name}", path=name) for name in _DATA]
    return Sites(directories=tuple(once.values()), packages=packages, roots=tuple(roots))
