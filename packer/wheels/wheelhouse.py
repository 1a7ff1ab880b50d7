"""Wheels on this machine, by their sha256: fetched once, verified, never half there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path

import msgspec

from packer import disk
from packer.environment.lock import WheelPin
from packer.progress import Progress
from packer.record import Record
from packer.wheels import verification
from packer.wheels.errors import WheelHashMismatch, WheelUnavailable
from packer.wheels.index_sources import IndexSources

Arrivals = Generator[tuple[str, Path], None, None]
"""sha256 and file of a wheel, each as soon as it is on this machine. Closing gives up the rest."""
Fetch = Callable[[tuple[WheelPin, ...]], Arrivals]
"""Gets wheels from where they are; those that are fetched are verified."""


class Wheelhouse(Record, frozen=True):
    """A directory of wheels, `<root>/<sha256>/<filename>`."""

    root: Path
    sources: IndexSources = IndexSources()

    def path(self, pin: WheelPin) -> Path:
        """Where the wheel is, or will be."""
        return self.root / pin.sha256 / pin.filename

    def has(self, pin: WheelPin) -> bool:
        """Whether the wheel is here, and not cut short by the end of a machine."""
        try:
            size = self.path(pin).stat().st_size
        except OSError:
            return False
        # Not everybody who pins it knows its size.
        return size == (pin.size or size) > 0

    def fetch(self, pins: Iterable[WheelPin], progress: Progress) -> Arrivals:
        """Every one of `pins`; those not here yet come last, fetched side by side.

        Raises:
            WheelHashMismatch: what was fetched is not what is pinned.
            WheelUnavailable: it could not be fetched.
            DiskFull: there is no room for it.
        """
        absent: list[WheelPin] = []
        for sha256, pin in {pin.sha256: pin for pin in pins}.items():
            if self.has(pin):
                yield sha256, self.path(pin)
            else:
                absent.append(pin)
        if absent:
            for pin in self._fetched(absent, progress):
                yield pin.sha256, self.path(pin)

    def adopt(self, pin: WheelPin, url: str) -> WheelPin:
        """`pin` with the sha256 and size of what is at `url` (also `file:`), which is kept.

        Raises:
            WheelUnavailable: it cannot be read.
            DiskFull: there is no room for it.
        """
        from packer.wheels.transport import Transport

        transport = Transport(self.sources)
        with self.receiving(pin.filename) as receiving:
            transport.read(url, receiving.write)
            found = msgspec.structs.replace(
                pin, sha256=receiving.digest.hexdigest(), size=receiving.size
            )
            receiving.move(self.path(found))
        return found

    def _fetched(self, pins: list[WheelPin], progress: Progress) -> Iterator[WheelPin]:
        from packer.wheels.delivery import Delivery
        from packer.wheels.transport import AT_ONCE, Transport

        transport = Transport(self.sources)
        # The largest first: the last to end decides.
        delivery = Delivery(sorted(pins, key=lambda pin: -pin.size), AT_ONCE)

        def bring(pin: WheelPin) -> None:
            if not pin.url:
                reason = "what was kept of it is gone, and it came from no index"
                raise WheelUnavailable(pin.filename, str(self.path(pin)), reason)
            with self.receiving(pin.filename) as receiving:

                def sink(chunk: bytes) -> None:
                    delivery.check()
                    receiving.write(chunk)
                    progress.advance(len(chunk))

                transport.read(pin.url, sink)
                actual = receiving.digest.hexdigest()
                if actual != pin.sha256:
                    raise WheelHashMismatch(pin.filename, pin.sha256, actual, pin.url)
                receiving.move(self.path(pin))

        progress.start("fetching wheels", sum(pin.size for pin in pins))
        yield from delivery.each(bring)
        progress.done(f"{len(pins)} wheels")

    @contextmanager
    def receiving(self, what: str) -> Iterator[Receiving]:
        """A new file for `what`, whose name is known when all of it is there."""
        incoming = disk.Incoming(self.root / ".incoming")
        with disk.room(what, self.root):
            incoming.root.mkdir(parents=True, exist_ok=True)
            incoming.sweep()
            with incoming.file() as (stream, temporary):
                yield Receiving(stream, temporary)


class Receiving:
    """A wheel on its way in."""

    def __init__(self, stream: BufferedWriter[FileIO], temporary: Path) -> None:
        self.digest, self.size = hashlib.sha256(), 0
        self._stream, self._temporary = stream, temporary

    def fileno(self) -> int:
        """Of the file that is written."""
        return self._stream.fileno()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.digest.update(chunk)
        self.size += len(chunk)
        self._stream.write(chunk)

    def move(self, path: Path) -> None:
        """It is all there: give it its name."""
        self._stream.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary.replace(path)
        verification.hashed(path, self.digest.digest())
