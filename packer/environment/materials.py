"""A lock and everything on this machine that is needed to build it.

An environment that is as it was costs a small file and a sweep: no resolution, no index, none of
the imports that those need.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from packer import disk, record
from packer.environment import declarations
from packer.environment.editable_tree import EditableTree
from packer.environment.environment_report import Agree, EnvironmentReport
from packer.environment.lock import Lock, WheelPin
from packer.environment.sandbox import Sandbox
from packer.environment.sweep import Sweep, remember
from packer.progress import Progress
from packer.record import Record, decodable

if TYPE_CHECKING:
    from packer.environment.locking import Outcome
    from packer.environment.resolver import Locked
    from packer.wheels.wheelhouse import Arrivals, Fetch

_FORMAT = "5"
_WITHOUT_INDEX = 600
"""Seconds for which an answer made without an index is good enough."""

_VARIABLES = ("PIP_", "UV_", "PYTHONNOUSERSITE", "PYTHONPATH", "XDG_CONFIG_", "HOME")


class Resolved(Record, frozen=True):
    """An environment, ready to be built."""

    lock: Lock
    files: dict[str, Path | bytes]
    """sha256 → the bytes of the lock's files, or where they are."""
    fetch: Fetch
    editables: tuple[EditableTree, ...]
    """Source outside the project that has to be packed as well."""
    always: tuple[str, ...]
    """Git patterns, relative to the project, of files packed whatever `.gitignore` says."""
    report: EnvironmentReport


class _Remembered(Record, frozen=True):
    """`environments/<key>.json`."""

    lock: Lock
    paths: dict[str, str]
    made: dict[str, bytes]
    editables: tuple[EditableTree, ...]
    always: tuple[str, ...]
    report: EnvironmentReport
    marks: str
    """Name of the file of marks beside this one."""
    watched: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    """See `closure.Closure`."""
    good_until: float = 0
    """Seconds since the epoch; 0 for ever."""


class Resolution:
    """An environment being resolved. From its start a sweep goes on in other processes, so that
    the caller can work on what is remembered until `holds` says whether that is still true.
    """

    def __init__(self, sandbox: Sandbox, progress: Progress) -> None:
        self._sandbox, self._progress = sandbox, progress
        self._place = sandbox.cache / "environments" / f"{_key(sandbox)}.json"
        self._known = self._recall()

    def remembered(self) -> Resolved | None:
        """The environment as it was when it was last looked at; None where it never was."""
        return self._resolved(self._known[0]) if self._known else None

    def holds(self) -> bool:
        """Whether what is remembered is the environment as it is now. Waits for the sweep."""
        if self._known is None:
            return False
        known, sweep = self._known
        return sweep.unchanged() and self._imports_what_it_did(known)

    def resolve(self, agree: Agree | None = None) -> Resolved:
        """The environment as it is now, whatever is remembered.

        Nothing is built before `agree`.

        Raises:
            DistUnresolvable: a distribution can arrive in no form.
            EditableOutsideProject: the source of an editable install lies around the project.
            NoWheelForTarget: one was built for the sandbox's platform, and the target is another.
            NoCudaBuild, TorchIndexUnreachable: one has no build for the CUDA that is wanted.
            FileAltered: an installed file changed while it was read.
            DiskFull: a cache cannot be written.
            SendoffError: of `packer.building`, where something has to be built; of `agree`.
        """
        return self._resolved(self._resolve(agree))

    def look(self) -> tuple[Lock, EnvironmentReport]:
        """What it is made of, with a provisional pin for each wheel that is still to be built.

        Raises:
            As `resolve`, less what building does.
        """
        remembered = self.remembered()
        if remembered and self.holds():
            return remembered.lock, remembered.report
        from packer.environment import locking

        found = locking.look(self._sandbox, self._progress)
        locked = found.draft.locked
        if not found.draft.sources:
            self._keep(found, locked)
        return locked.lock, locked.report

    def result(self) -> Resolved:
        """The environment as it is now, remembered or resolved."""
        remembered = self.remembered()
        return remembered if remembered and self.holds() else self.resolve()

    def _imports_what_it_did(self, known: _Remembered) -> bool:
        """Whether what the project imports decides as it did."""
        return not known.watched or known.watched & self._sandbox.imports() == known.imported

    def _recall(self) -> tuple[_Remembered, Sweep] | None:
        try:
            known = _decode(self._place.read_bytes())
            if known.good_until and known.good_until < time.time():
                return None
            return known, Sweep(self._place.with_name(known.marks))
        except (OSError, ValueError):
            return None

    def _resolve(self, agree: Agree | None) -> _Remembered:
        from packer.environment import locking

        found = locking.look(self._sandbox, self._progress)
        if found.draft.sources and agree:
            agree(found.draft.locked.report)
        return self._keep(found, locking.finished(found.draft, self._sandbox, self._progress))

    def _keep(self, found: Outcome, locked: Locked) -> _Remembered:
        marks = f"{self._place.stem}-{os.urandom(6).hex()}.marks"
        sources = locked.sources
        remembered = _Remembered(
            lock=locked.lock,
            paths={sha256: path for sha256, path in sources.items() if isinstance(path, str)},
            made={sha256: data for sha256, data in sources.items() if isinstance(data, bytes)},
            editables=locked.editables,
            always=locked.always,
            report=locked.report,
            marks=marks,
            watched=found.draft.closure.watched,
            imported=found.draft.closure.imported,
            good_until=time.time() + _WITHOUT_INDEX if locked.report.without_index else 0,
        )
        try:
            data = msgspec.json.encode(remembered, enc_hook=str)
        except UnicodeEncodeError:
            # A file name that is not UTF-8: such an environment is resolved each time.
            return remembered
        older = list(self._place.parent.glob(f"{self._place.stem}-*.marks"))
        remember(self._place.with_name(marks), found.seen, found.time)
        disk.replace(self._place, data)
        for path in older:
            path.unlink(missing_ok=True)
        return remembered

    def _resolved(self, known: _Remembered) -> Resolved:
        return Resolved(
            lock=known.lock,
            files={**{sha256: Path(path) for sha256, path in known.paths.items()}, **known.made},
            fetch=self._fetch,
            editables=known.editables,
            always=known.always,
            report=known.report,
        )

    def _fetch(self, pins: tuple[WheelPin, ...]) -> Arrivals:
        from packer.environment import locking

        house = locking.wheelhouse(self._sandbox)
        if not all(pin.url or house.has(pin) for pin in pins):
            # No index has it: the next to ask resolves the environment, which finds or builds it.
            self._place.unlink(missing_ok=True)
        return house.fetch(pins, self._progress)


def resolve(sandbox: Sandbox, progress: Progress) -> Resolved:
    """What is installed in `sandbox`, as a lock. What it raises: `Resolution.resolve`."""
    return Resolution(sandbox, progress).result()


def _key(sandbox: Sandbox) -> str:
    """Everything a lock depends on besides files: those the sweep looks at."""
    facts = [_FORMAT, os.path.realpath(sandbox.project), sandbox.platform]
    # Those that are not there yet cannot be looked at.
    facts += map(str, declarations.files(sandbox.project))
    facts += [
        f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith(_VARIABLES)
    ]
    if sandbox.base:
        facts += [sandbox.base.digest, sandbox.builder, *sandbox.build_apt]
    digest = hashlib.sha256(record.encode([sandbox.interpreter, sandbox.cuda]))
    digest.update("\0".join(facts).encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def _decode(data: bytes) -> _Remembered:
    return msgspec.json.decode(
        data, type=decodable(_Remembered), dec_hook=lambda kind, value: kind(value)
    )
