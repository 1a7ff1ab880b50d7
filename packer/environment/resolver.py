"""The environment, resolved: what of it is a wheel, what arrives as files, what stays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packer.environment import cuda, editable, files_pin
from packer.environment.editable import InPlace
from packer.environment.editable_tree import EditableTree
from packer.environment.environment import Environment, Installed
from packer.environment.environment_report import Arrival, EnvironmentReport, Retargeted
from packer.environment.files_pin import Content
from packer.environment.installed_files import InstalledFile
from packer.environment.lock import FilesPin, Lock, PinnedFile, WheelPin
from packer.environment.target import Target
from packer.errors import DistUnresolvable
from packer.record import Record
from packer.retargeting.builds import Builds
from packer.wheels.errors import NoWheelForTarget, Wheelless
from packer.wheels.index_sources import without_login
from packer.wheels.wheel_finder import Answer
from packer.wheels.wheel_match import is_installers, is_too_new

_NATIVE = (".so", ".pyd", ".dylib")


class Locked(Record, frozen=True):
    """A lock, and where on this machine the bytes of its files are."""

    lock: Lock
    sources: dict[str, str | bytes]
    """sha256 → a path, or the content."""
    report: EnvironmentReport
    editables: tuple[EditableTree, ...] = ()
    always: tuple[str, ...] = ()
    """Git patterns, relative to the project, of files packed whatever `.gitignore` says."""


class Plan(Record, frozen=True):
    """What a lock is made from."""

    environment: Environment
    project: Path
    target: Target
    left_out: frozenset[str] = frozenset()
    """Names of distributions that stay out."""
    built: Mapping[str, str] = {}
    """Names of those whose wheel was built, and what from."""
    builds: Builds = Builds()
    """What arrives for another platform or CUDA line than the sandbox's."""


def lock(plan: Plan, answer: Answer) -> Locked:
    """The lock of an environment whose wheels are in `answer`.

    Reads the few installed files that arrive changed: programs of `bin/`, `.pth` files.

    Raises:
        DistUnresolvable: a distribution can arrive in no form.
        EditableOutsideProject: the source of an editable install lies around the project.
        NoWheelForTarget: one was built for the sandbox's platform, and the target is another.
    """
    return _Locking(plan, answer).result()


class _Locking:
    def __init__(self, plan: Plan, answer: Answer) -> None:
        self._plan, self._answer = plan, answer
        self._packages = plan.environment.packages
        self._warnings: list[str] = []
        self._in_place: list[InPlace] = []
        self._arrivals: list[Arrival] = []
        self._pins: list[FilesPin] = []
        self._overlay: list[Content] = []
        self._removed: list[str] = []
        self._sources: dict[str, str | bytes] = {}
        self._wheelless: list[Wheelless] = []

    def result(self) -> Locked:
        if self._answer.unreachable:
            self._warnings.append(
                "no index answered, installed files are packed, and the digest is another than "
                f"with wheels: {self._answer.unreachable}"
            )
        if self._answer.unread:
            self._warnings.append(_unread(self._answer.unread))
        environment = self._plan.environment
        for file in environment.unowned:
            _refuse_egg_link(file)
        for installed in environment.distributions:
            self._add(installed)
        self._add_builds()
        for file in environment.unowned:
            self._add_unowned(file)
        report = self._report()
        if self._wheelless:
            raise NoWheelForTarget(self._wheelless, self._plan.target.platform, report)
        overlay = {file.path: file for file in self._overlay}
        return Locked(
            lock=Lock(
                python=environment.interpreter.version,
                platform=self._plan.target.platform,
                wheels=tuple(sorted(self._wheels.values(), key=lambda pin: pin.name)),
                files=tuple(self._pins),
                overlay=self._pinned(overlay[path] for path in sorted(overlay)),
                removed=tuple(sorted(self._removed)),
            ),
            sources=self._sources,
            report=report,
            editables=tuple(tree for each in self._in_place for tree in each.trees),
            always=tuple(sorted({rule for each in self._in_place for rule in each.always})),
        )

    def _add(self, installed: Installed) -> None:
        found = installed.distribution
        if found.name in self._plan.left_out:
            self._note(installed, "left out", "only sendoff needs it")
        elif found.name in self._plan.builds.dropped:
            why = self._plan.builds.dropped[found.name]
            self._note(installed, "left out", why, change="dropped")
        elif found.name in self._plan.builds.pins:
            self._add_build(self._plan.builds.pins[found.name], installed)
        elif found.name in self._answer.pins:
            self._add_wheel(installed)
        elif found.is_editable:
            self._add_editable(installed)
        else:
            self._add_files(installed)

    @property
    def _wheels(self) -> dict[str, WheelPin]:
        return {**self._answer.pins, **self._plan.builds.pins}

    def _report(self) -> EnvironmentReport:
        builds, target = self._plan.builds, self._plan.target
        found = Retargeted(source=builds.source, target=target.platform, cuda=builds.line)
        return EnvironmentReport(
            arrivals=tuple(sorted(self._arrivals, key=lambda each: each.name)),
            warnings=(*builds.warnings, *self._warnings),
            retargeted=found if builds.source else None,
            built=dict(self._plan.built),
            without_index=bool(self._answer.unreachable or self._answer.unread or builds.warnings),
        )

    def _add_builds(self) -> None:
        """Those that nothing of their name is installed of."""
        for name, pin in self._plan.builds.pins.items():
            if name not in {each.name for each in self._arrivals}:
                self._add_build(pin, None)

    def _add_build(self, pin: WheelPin, installed: Installed | None) -> None:
        line = cuda.of(pin.name, pin.version) if "+" in pin.version else ""
        was = installed.distribution.version if installed else ""
        self._arrivals.append(
            Arrival(
                name=pin.name,
                version=pin.version,
                how="wheel",
                why=f"built for CUDA {line}" if line else "",
                change="changed" if installed else "added",
                was=was,
                size=pin.size,
            )
        )

    def _add_wheel(self, installed: Installed) -> None:
        pin = self._answer.pins[installed.distribution.name]
        source = self._plan.built.get(installed.distribution.name)
        changed, gone = list(modified(installed)), list(missing(installed))
        target = self._plan.target
        another = is_too_new(installed, target) and not source
        if (target.is_foreign or another) and not pin.filename.endswith("-any.whl"):
            self._refuse_changed(installed, changed)
            gone = []
        self._overlay += map(self._content, changed)
        self._removed += gone
        notes = [f"built from {source}"] if source else []
        notes += [f"another wheel than here: the base has glibc 2.{target.glibc}"] * another
        notes += [f"{len(changed)} changed by hand"] if changed else []
        notes += [f"{len(gone)} deleted by hand"] if gone else []
        self._note(installed, "wheel", ", ".join(notes), size=pin.size)

    def _refuse_changed(self, installed: Installed, changed: Iterable[InstalledFile]) -> None:
        """What was compiled by hand here is of no use on another platform."""
        found, platform = installed.distribution, self._plan.target.platform
        for file in changed:
            if file.path.endswith(_NATIVE):
                raise DistUnresolvable(
                    found.name,
                    f"a library of it was changed by hand, and is none for {platform}",
                    file.path,
                    f"python -m pip install --force-reinstall {found.name}=={found.version}",
                )

    def _add_files(self, installed: Installed) -> None:
        found = installed.distribution
        reason = self._answer.reasons.get(found.name) or origin(installed)
        native = [file.path for file in installed.files if file.path.endswith(_NATIVE)]
        target = self._plan.target
        if native and (target.is_foreign or is_too_new(installed, target)):
            wants = self._answer.wanting.get(found.name, "")
            self._wheelless.append(Wheelless(found.name, found.version, native[0], reason, wants))
            self._note(installed, "no wheel", reason, change="no wheel")
            return
        if native and found.installer == "conda":
            raise DistUnresolvable(
                found.name,
                "conda built it for the libraries of its own environment",
                native[0],
                f"python -m pip install --force-reinstall {found.name}=={found.version}",
            )
        replaced: dict[str, bytes] = {}
        for file in installed.files:
            if editable.is_pth(file, self._packages):
                replaced |= self._of_pth(file).replaced
        contents = files_pin.contents(installed, self._packages, replaced)
        self._pins.append(files_pin.pin(installed, contents, reason))
        self._pinned(contents)
        self._note(installed, "files", reason, size=sum(each.size for each in contents))

    def _add_editable(self, installed: Installed) -> None:
        in_place = editable.of_distribution(installed, self._plan.project, self._packages)
        contents = files_pin.contents(installed, self._packages, in_place.replaced)
        where = ", ".join(tree.in_image for tree in in_place.trees) or "in the project"
        self._in_place.append(in_place)
        self._pins.append(files_pin.pin(installed, contents, "editable"))
        self._pinned(contents)
        size = sum(each.size for each in contents)
        self._note(installed, "editable", f"its source is packed: {where}", size=size)

    def _add_unowned(self, file: InstalledFile) -> None:
        if self._plan.target.is_foreign and file.path.endswith(_NATIVE):
            raise DistUnresolvable(
                Path(file.path).name,
                f"it belongs to no distribution, and is none for {self._plan.target.platform}",
                file.source,
                "remove it, or install what it is of as a package",
            )
        self._overlay.append(self._content(file))
        if not editable.is_pth(file, self._packages):
            self._warnings.append(f"{file.path} belongs to no distribution: packed as it is")
            return
        where = ", ".join(str(tree.source) for tree in self._in_place[-1].trees)
        note = f", with what it names: {where}" if where else ""
        self._warnings.append(f"{file.path} belongs to no distribution: packed{note}")

    def _content(self, file: InstalledFile) -> Content:
        """A file as it arrives in the overlay."""
        if editable.is_pth(file, self._packages):
            replaced = self._of_pth(file).replaced.get(file.path)
            if replaced is not None:
                return files_pin.made_content(file.path, replaced)
        return files_pin.installed_content(file)

    def _of_pth(self, file: InstalledFile) -> InPlace:
        in_place = editable.of_pth(file, self._plan.project)
        self._in_place.append(in_place)
        return in_place

    def _pinned(self, contents: Iterable[Content]) -> tuple[PinnedFile, ...]:
        kept = tuple(contents)
        self._sources.update((file.sha256, file.source) for file in kept)
        return tuple(file.pinned for file in kept)

    def _note(
        self,
        installed: Installed,
        how: Any,
        why: str,
        *,
        change: Any = "kept",
        size: int = 0,
    ) -> None:
        found = installed.distribution
        self._arrivals.append(
            Arrival(
                name=found.name,
                version=found.version,
                how=how,
                why=why,
                change=change,
                size=size,
            )
        )


def _unread(unread: Mapping[str, str]) -> str:
    first, *others = unread.values()
    further = f" (and {len(others)} more)" if others else ""
    return (
        f"what there is of {', '.join(unread)} could not be read, installed files are packed, and "
        f"the digest is another than with wheels: {first}{further}"
    )


def _refuse_egg_link(file: InstalledFile) -> None:
    if file.path.endswith(".egg-link"):
        raise DistUnresolvable(
            Path(file.path).stem,
            "it is installed as editable in the way of before PEP 660",
            file.source,
            "install it anew with a current pip: python -m pip install -e .",
        )


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
