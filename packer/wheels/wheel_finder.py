"""Which wheel each installed distribution is: found by version, proved by RECORD."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from packer import disk, record
from packer.environment.distribution import Recorded, normalized
from packer.environment.environment import Installed
from packer.environment.lock import WheelPin
from packer.environment.target import Target
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.wheels import candidates, wheel_record
from packer.wheels.candidates import Candidate, Question
from packer.wheels.errors import WheelUnavailable
from packer.wheels.index_sources import without_login
from packer.wheels.transport import AT_ONCE, Transport
from packer.wheels.wheel_match import agrees, identity, is_too_new, ordered, wanting
from packer.wheels.wheelhouse import Wheelhouse


class Answer(Record, frozen=True):
    """The wheels of some distributions, and of the others why there is none."""

    pins: dict[str, WheelPin] = {}
    reasons: dict[str, str] = {}
    wanting: dict[str, str] = {}
    """Of some of those others the oldest glibc, "2.34", that a wheel would run with."""
    unread: dict[str, str] = {}
    """Of some of those others what kept them from being looked at, though there may be one."""
    unreachable: str = ""
    """Why no index answered; empty where one did, or none was needed."""


class _Lack(NamedTuple):
    """Why there is no wheel."""

    reason: str
    unread: bool = False
    """Whether it may be another time: one was not to be had for now."""


def from_index(installed: Installed) -> bool:
    """Whether an index may have the wheel that was installed."""
    found = installed.distribution
    return found.has_record and not found.source and found.installer != "conda"


class WheelFinder:
    """Asks the indexes, and remembers which wheel a recorded content is."""

    def __init__(self, memory: Path, question: Question, target: Target, house: Wheelhouse) -> None:
        self._memory = memory
        self.question, self.target = question, target
        self._house = house

    def find(self, distributions: Sequence[Installed], progress: Progress) -> Answer:
        """The wheel of each of `distributions` that has one."""
        found: dict[str, WheelPin | _Lack] = {}
        unknown = []
        for each in distributions:
            pin = self._remembered(each) or self._given(each)
            if pin:
                found[each.distribution.name] = pin
            elif from_index(each):
                unknown.append(each)
        if not unknown:
            return _answer(found)
        progress.start(f"asking the index for {len(unknown)} distributions")
        versions = [(each.distribution.name, each.distribution.version) for each in unknown]
        offer = candidates.ask(self.question, versions)
        progress.done(offer.unreachable)
        if offer.unreachable:
            found.update((name, _Lack("no index answered")) for name, _ in versions)
            return replace(_answer(found), unreachable=offer.unreachable)
        found.update(self._compare(unknown, offer.wheels, progress))
        answer = _answer(found)
        others = (each for each in offer.wheels.items() if each[0] not in answer.pins)
        lacking = {name: wanting(some, self.target) for name, some in others}
        newer = {name: f"2.{glibc}" for name, glibc in lacking.items() if glibc}
        return replace(answer, wanting=newer)

    def pin(self, candidate: Candidate) -> WheelPin:
        """The pin of a wheel that an index offers; of one on this machine, with its bytes kept.

        Raises:
            WheelUnavailable: it is not there.
        """
        url = candidate.url
        found = replace(
            candidate.pin(),
            name=normalized(candidate.name),
            # Not every index tells it.
            size=candidate.size or self._transport.size(url),
            url="" if url.startswith("file:") else url,
        )
        return found if found.url else self._house.adopt(found, url)

    @functools.cached_property
    def _transport(self) -> Transport:
        return Transport(self.question.sources)

    def _given(self, installed: Installed) -> WheelPin | _Lack | None:
        """The wheel that was installed from a file or URL (PEP 610, `archive_info`)."""
        found = installed.distribution
        archive = found.source.get("archive_info")
        filename = unquote(urlsplit(found.source.get("url", "")).path.rpartition("/")[2])
        if archive is None or not filename.endswith(".whl") or not found.has_record:
            return None
        url = found.source["url"]
        pin = WheelPin(
            name=found.name,
            version=found.version,
            filename=filename,
            sha256="",
            size=0,
            url="" if url.startswith("file:") else without_login(url),
        )
        try:
            pin = self._house.adopt(pin, url)
            listed = wheel_record.read(self._house.path(pin))
        except (WheelUnavailable, zipfile.BadZipFile) as error:
            return _Lack(f"the wheel it was installed from is gone: {filename}", _is_passing(error))
        if not agrees(installed, listed, self.target.packages):
            return _Lack(f"the wheel it was installed from has changed: {filename}")
        if is_too_new(installed, self.target):
            return _Lack(f"the wheel it was installed from wants a newer glibc: {filename}")
        self._remember(installed, pin)
        return pin

    def _compare(
        self,
        unknown: Sequence[Installed],
        offered: Mapping[str, tuple[Candidate, ...]],
        progress: Progress,
    ) -> dict[str, WheelPin | _Lack]:
        progress.start("comparing with the index", len(unknown))

        def one(installed: Installed) -> WheelPin | _Lack:
            name = installed.distribution.name
            found = self._match(installed, offered.get(name, ()))
            progress.advance(1)
            return found

        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(one, unknown))
        progress.done()
        return {each.distribution.name: pin for each, pin in zip(unknown, found, strict=True)}

    def _match(self, installed: Installed, offered: Sequence[Candidate]) -> WheelPin | _Lack:
        fitting = ordered(offered, installed, self.target)
        if not offered:
            return _Lack(f"the index has no wheel of version {installed.distribution.version}")
        if not fitting:
            return self._without()
        lack = _Lack("no wheel of the index holds what is installed")
        for candidate in fitting:
            try:
                found = self.pin(candidate)
                if self.target.is_foreign or is_too_new(installed, self.target):
                    return found
                listed = self._record(found)
            except (WheelUnavailable, zipfile.BadZipFile) as error:
                lack = _Lack(str(error), lack.unread or _is_passing(error))
                continue
            if agrees(installed, listed, self.target.packages):
                self._remember(installed, found)
                return found
        return lack

    def _without(self) -> _Lack:
        glibc = f" with glibc 2.{self.target.glibc}" if self.target.glibc else ""
        return _Lack(f"the index has no wheel for {self.target.platform}{glibc}")

    def _record(self, pin: WheelPin) -> tuple[Recorded, ...]:
        if self._house.has(pin):
            return wheel_record.read(self._house.path(pin))
        listed = wheel_record.read_remote(pin.url, self._transport)
        if listed is None:
            listed = wheel_record.read(dict(self._house.fetch([pin], SILENT))[pin.sha256])
        return listed

    def _remembered(self, installed: Installed) -> WheelPin | None:
        if self.target.is_foreign or not installed.distribution.has_record:
            return None
        if is_too_new(installed, self.target):
            return None
        try:
            pin = record.decode(self._place(installed).read_bytes(), WheelPin)
        except (OSError, ValueError):
            return None
        # A wheel of this machine cannot be fetched again.
        return pin if pin.url or self._house.has(pin) else None

    def _remember(self, installed: Installed, pin: WheelPin) -> None:
        disk.replace(self._place(installed), record.encode(pin))

    def _place(self, installed: Installed) -> Path:
        return self._memory / f"{identity(installed)}.json"


def _answer(found: Mapping[str, WheelPin | _Lack]) -> Answer:
    lacks = {name: each for name, each in found.items() if isinstance(each, _Lack)}
    return Answer(
        pins={name: each for name, each in found.items() if isinstance(each, WheelPin)},
        reasons={name: each.reason for name, each in lacks.items()},
        unread={name: each.reason for name, each in lacks.items() if each.unread},
    )


def _is_passing(error: Exception) -> bool:
    """Whether what could not be read may be read another time."""
    return isinstance(error, WheelUnavailable) and not error.absent
