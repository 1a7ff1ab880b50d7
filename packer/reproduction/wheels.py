"""Wheels of a lock that somebody else made: kept ones, or fetched from where they can be had."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from packer.environment.interpreter import Interpreter
from packer.environment.lock import WheelPin
from packer.progress import Progress
from packer.reproduction.errors import BuiltElsewhere
from packer.wheels import candidates, index_sources
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelUnavailable
from packer.wheels.wheelhouse import Arrivals, Wheelhouse


class Wheels:
    """Finds the wheels of a lock on this machine or in its indexes, each by its sha256."""

    def __init__(
        self, interpreter: Interpreter, project: Path, cache: Path, progress: Progress
    ) -> None:
        """`project`: where uv looks for settings of its own; `cache`: where wheels are kept."""
        self._progress = progress
        sources = index_sources.find(interpreter.prefix, project)
        self.question = Question(python=interpreter.executable, project=project, sources=sources)
        """To whom indexes are to answer."""
        self.house = Wheelhouse(root=cache / "wheels", sources=sources)

    def fetch(self, pins: tuple[WheelPin, ...]) -> Arrivals:
        """All of `pins`. One whose address is gone is looked for in this machine's indexes.

        Raises:
            BuiltElsewhere: a wheel was never in an index.
            WheelUnavailable, WheelHashMismatch, DiskFull
        """
        with_address = [pin for pin in pins if pin.url or self.house.has(pin)]
        with suppress(WheelUnavailable):
            # What has come by then is kept, and found below.
            yield from self.house.fetch(with_address, self._progress)
        lost = [pin for pin in pins if not self.house.has(pin)]
        offered = {pin.sha256: pin for pin in self._elsewhere(lost)}
        yield from self.house.fetch([offered.get(pin.sha256, pin) for pin in pins], self._progress)

    def _elsewhere(self, pins: list[WheelPin]) -> list[WheelPin]:
        """The same wheels, as this machine's indexes offer them; one that they don't, as it was."""
        if not pins:
            return []
        offer = candidates.ask(self.question, [(pin.name, pin.version) for pin in pins])
        urls = {wheel.sha256: wheel.url for some in offer.wheels.values() for wheel in some}
        for pin in pins:
            if not pin.url and pin.sha256 not in urls:
                if offer.unreachable:
                    raise WheelUnavailable(pin.filename, "the indexes", offer.unreachable)
                raise BuiltElsewhere(pin.filename)
        return [replace(pin, url=urls.get(pin.sha256, pin.url)) for pin in pins]
