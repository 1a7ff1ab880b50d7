"""The environment: what is installed for one interpreter, file by file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from packer.environment import sites
from packer.environment.distribution import Distribution
from packer.environment.installed_files import Hashes, InstalledFile, Tree, is_bytecode, look
from packer.environment.interpreter import Interpreter
from packer.environment.sites import Sites
from packer.environment.sweep import Stamp
from packer.progress import Progress
from packer.record import Record


class Installed(Record, frozen=True):
    """A distribution and its files as they are on the disk."""

    distribution: Distribution
    files: tuple[InstalledFile, ...]
    """Sorted by path; what the installer wrote of its own (INSTALLER, RECORD, …) included."""
    recorded: dict[str, str] = {}
    """Path below the prefix → sha256 in RECORD, empty where RECORD has none. No bytecode."""


class Environment(Record, frozen=True):
    """Everything that `interpreter` can import from its site directories."""

    interpreter: Interpreter
    packages: str
    """What the site directories become below `image_paths.PREFIX`."""
    distributions: tuple[Installed, ...]
    """Sorted by name; of two with one name, the first on `sys.path`."""
    unowned: tuple[InstalledFile, ...] = ()
    """Files of no distribution, sorted by path; what makes a venv is left out."""
    seen: dict[str, Stamp | None] = {}
    """Every file and directory of this machine that was looked at, as it was."""
    time: int = 0
    """When that began: nanoseconds since the epoch."""


def capture(interpreter: Interpreter, hashes: Hashes, progress: Progress) -> Environment:
    """Read what is installed for `interpreter`, and the sha256 of every file of it.

    Raises:
        DistUnresolvable: a distribution has files outside its prefix.
    """
    where = sites.of(interpreter)
    now = time.time_ns()
    tree = Tree(where.roots)
    holdings = [_Holding(*found, where, tree.files) for found in where.distributions()]
    owned = {path for holding in holdings for path in holding.files}
    unowned = [
        file
        for path, file in sorted(tree.files.items())
        if path not in owned and not where.is_venv(file)
    ]
    present = {file.path: file for holding in holdings for file in holding.files.values()}
    looked_at = {file.path: file for file in (*present.values(), *unowned)}.values()
    read = hashes.of(looked_at, progress)
    known = {file.path: file for file in read}
    return Environment(
        interpreter=interpreter,
        packages=where.packages,
        distributions=tuple(
            sorted(
                (holding.installed(known) for holding in holdings if not holding.shadowed),
                key=lambda each: each.distribution.name,
            )
        ),
        unowned=tuple(known[file.path] for file in unowned),
        seen={**tree.directories, **{file.source: file.stamp for file in looked_at}},
        time=now,
    )


class _Holding:
    """A distribution and the files of a tree that are its own.

    One that is shadowed by another of its name still holds its files: they belong to it, and stay
    out with it.
    """

    def __init__(
        self, found: Distribution, shadowed: bool, where: Sites, tree: Mapping[str, InstalledFile]
    ) -> None:
        self.distribution, self.shadowed = found, shadowed
        self._packages = where.packages
        self._recorded: dict[str, str] = {}
        self.files: dict[str, InstalledFile] = {}
        for entry in found.record:
            if is_bytecode(entry.path):
                continue
            path, source = where.locate(found, entry.path)
            self._recorded[path] = entry.sha256
            file = tree.get(path) or look(source, path)
            if file is not None:
                self.files[path] = file
        if not found.has_record:
            self.files.update(self._claimed(tree))

    def installed(self, known: Mapping[str, InstalledFile]) -> Installed:
        """The distribution with its files' hashes."""
        return Installed(
            distribution=self.distribution,
            files=tuple(known[path] for path in sorted(self.files)),
            recorded=self._recorded,
        )

    def _claimed(self, tree: Mapping[str, InstalledFile]) -> Iterator[tuple[str, InstalledFile]]:
        """By name, where no RECORD lists them: the modules named top-level, and the metadata."""
        mine = {self.distribution.metadata, *self.distribution.top_level}
        start = len(self._packages) + 1
        for path, file in tree.items():
            first = path[start:].partition("/")[0]
            if path.startswith(self._packages + "/") and (
                first in mine or ("/" not in path[start:] and first.partition(".")[0] in mine)
            ):
                yield path, file
