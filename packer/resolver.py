"""The environment, resolved: what of it is a wheel, what arrives as files, what stays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packer import files_pin
from packer.environment import Environment, Installed
from packer.environment_report import Arrival, EnvironmentReport
from packer.errors import DistUnresolvable, NoWheelForTarget
from packer.files_pin import Content
from packer.index_sources import without_login
from packer.installed_files import InstalledFile
from packer.lock import FilesPin, Lock, PinnedFile
from packer.record import Record
from packer.target import Target
from packer.wheel_finder import Answer, is_installers

_NATIVE = (".so", ".pyd", ".dylib")
_ALIASES = ("bin/pip", "bin/easy_install", "bin/wheel")


class Locked(Record, frozen=True):
    """A lock, and where on this machine the bytes of its files are."""

    lock: Lock
    sources: dict[str, str | bytes]
    """sha256 → a path, or the content."""
    report: EnvironmentReport


def from_index(installed: Installed) -> bool:
    """Whether an index may have the wheel that was installed."""
    found = installed.distribution
    return found.has_record and not found.source and found.installer != "conda"


def lock(environment: Environment, answer: Answer, target: Target, out: frozenset[str]) -> Locked:
    """The lock of `environment`; pure, but for programs of `bin/`, which are read.

    `answer` has the wheels that were found, `out` the names that stay out.

    Raises:
        DistUnresolvable: a distribution can arrive in no form.
        NoWheelForTarget: one was built for the sandbox's platform, and the target is another.
    """
    builder = _Builder(environment, answer, target, out)
    return builder.build()


class _Builder:
    def __init__(
        self, environment: Environment, answer: Answer, target: Target, out: frozenset[str]
    ) -> None:
        self._environment, self._answer = environment, answer
        self._target, self._out = target, out
        self._arrivals: list[Arrival] = []
        self._pins: list[FilesPin] = []
        self._overlay: list[Content] = []
        self._removed: list[str] = []
        self._sources: dict[str, str | bytes] = {}

    def build(self) -> Locked:
        for installed in self._environment.distributions:
            self._add(installed)
        unowned = [files_pin.installed_content(file) for file in self._environment.unowned]
        overlay = {file.path: file for file in (*self._overlay, *unowned)}
        return Locked(
            lock=Lock(
                python=self._environment.interpreter.version,
                platform=self._target.platform,
                wheels=tuple(sorted(self._answer.pins.values(), key=lambda pin: pin.name)),
                files=tuple(self._pins),
                overlay=self._pinned(overlay[path] for path in sorted(overlay)),
                removed=tuple(sorted(self._removed)),
            ),
            sources=self._sources,
            report=EnvironmentReport(
                arrivals=tuple(self._arrivals), warnings=tuple(self._warnings())
            ),
        )

    def _add(self, installed: Installed) -> None:
        found = installed.distribution
        if found.name in self._out:
            self._note(installed, "left out", "only sendoff needs it")
        elif found.name in self._answer.pins:
            self._add_wheel(installed)
        else:
            self._add_files(installed)

    def _add_wheel(self, installed: Installed) -> None:
        changed = [] if self._target.is_foreign else list(modified(installed))
        gone = [] if self._target.is_foreign else list(missing(installed))
        self._overlay += map(files_pin.installed_content, changed)
        self._removed += gone
        notes = [f"{len(changed)} changed by hand"] if changed else []
        notes += [f"{len(gone)} deleted by hand"] if gone else []
        self._note(installed, "wheel", ", ".join(notes))

    def _add_files(self, installed: Installed) -> None:
        found = installed.distribution
        reason = self._answer.reasons.get(found.name) or origin(installed)
        native = [file.path for file in installed.files if file.path.endswith(_NATIVE)]
        if native and self._target.is_foreign:
            raise NoWheelForTarget(found.name, found.version, self._target.platform, native[0])
        if native and found.installer == "conda":
            raise DistUnresolvable(
                found.name,
                "conda built it for the libraries of its own environment",
                native[0],
                f"python -m pip install --force-reinstall {found.name}=={found.version}",
            )
        contents = files_pin.contents(installed, self._environment.packages)
        self._pins.append(files_pin.pin(installed, contents, reason))
        self._pinned(contents)
        self._note(installed, "files", reason)

    def _pinned(self, contents: Iterable[Content]) -> tuple[PinnedFile, ...]:
        kept = tuple(contents)
        self._sources.update((file.sha256, file.source) for file in kept)
        return tuple(file.pinned for file in kept)

    def _note(self, installed: Installed, how: Any, why: str) -> None:
        found = installed.distribution
        self._arrivals.append(Arrival(name=found.name, version=found.version, how=how, why=why))

    def _warnings(self) -> Iterator[str]:
        if self._answer.unreachable:
            yield f"no index answered, installed files are packed: {self._answer.unreachable}"


def modified(installed: Installed) -> Iterator[InstalledFile]:
    """Files whose content is not what RECORD says."""
    for file in installed.files:
        recorded = installed.recorded.get(file.path)
        if recorded and recorded != file.sha256 and not is_installers(file.path):
            yield file


def missing(installed: Installed) -> Iterator[str]:
    """Recorded files that are not there."""
    present = {file.path for file in installed.files}
    for path in installed.recorded:
        if path not in present and not is_installers(path):
            yield path


def origin(installed: Installed) -> str:
    """Where a distribution came from that no index has, without a word of this machine."""
    found = installed.distribution
    source = found.source
    where = _public(source.get("url", ""))
    if "vcs_info" in source:
        info = source["vcs_info"]
        return f"{info.get('vcs', 'vcs')}+{where}@{info.get('commit_id', '')}"
    if "archive_info" in source:
        return f"archive {where}"
    if "dir_info" in source:
        return f"directory {where}"
    if found.installer == "conda":
        return "conda"
    return "installed without a list of its files" if not found.has_record else "installed files"


def _public(url: str) -> str:
    """A URL without credentials; of one on this machine the last part alone."""
    parts = urlsplit(url)
    if parts.scheme in {"file", ""}:
        return Path(parts.path).name
    return without_login(url)
