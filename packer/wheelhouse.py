"""Wheels on this machine, by their sha256: fetched once, verified, never half there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packer import disk
from packer.errors import WheelHashMismatch
from packer.index_sources import IndexSources
from packer.lock import WheelPin
from packer.progress import Progress
from packer.record import Record

_CHUNK = 1 << 20

Source = Callable[[Callable[[bytes], object]], object]
"""Gives its content, piece by piece, to what it is called with."""


class Wheelhouse(Record, frozen=True):
    """A directory of wheels, `<root>/<sha256>/<filename>`."""

    root: Path
    sources: IndexSources = IndexSources()

    def path(self, pin: WheelPin) -> Path:
        """Where the wheel is, or will be."""
        return self.root / pin.sha256 / pin.filename

    def fetch(self, pins: Iterable[WheelPin], progress: Progress) -> Mapping[str, Path]:
        """sha256 → file, for every one of `pins`; those not here yet are fetched side by side.

        Raises:
            WheelHashMismatch: what was fetched is not what is pinned.
            WheelUnavailable: it could not be fetched.
            DiskFull: there is no room for it.
        """
        wanted = {pin.sha256: pin for pin in pins}
        absent = [pin for pin in wanted.values() if not self.path(pin).exists()]
        if absent:
            self._fetch(absent, progress)
        return {sha256: self.path(pin) for sha256, pin in wanted.items()}

    def keep(self, pin: WheelPin, original: Path) -> None:
        """Copy a wheel of this machine in, so that it stays when the original goes.

        Raises:
            WheelHashMismatch: it is not the pinned one.
            DiskFull: there is no room for it.
        """

        def copy(sink: Callable[[bytes], object]) -> None:
            with original.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    sink(chunk)

        if not self.path(pin).exists():
            self._store(pin, copy, str(original))

    def _fetch(self, pins: list[WheelPin], progress: Progress) -> None:
        from concurrent.futures import ThreadPoolExecutor

        from packer.transport import AT_ONCE, Transport

        transport = Transport(self.sources)

        def one(pin: WheelPin) -> None:
            def source(sink: Callable[[bytes], object]) -> None:
                def counted(chunk: bytes) -> None:
                    sink(chunk)
                    progress.advance(len(chunk))

                transport.read(pin.url, counted)

            self._store(pin, source, pin.url)

        progress.start("fetching wheels", sum(pin.size for pin in pins))
        # The largest first: the last to end decides.
        ordered = sorted(pins, key=lambda pin: -pin.size)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            started = [pool.submit(one, pin) for pin in ordered]
            try:
                for each in started:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        progress.done(f"{len(pins)} wheels")

    def _store(self, pin: WheelPin, source: Source, origin: str) -> None:
        incoming = disk.Incoming(self.root / ".incoming")
        digest = hashlib.sha256()
        with disk.room(pin.filename, self.root):
            incoming.root.mkdir(parents=True, exist_ok=True)
            with incoming.file() as (stream, temporary):

                def sink(chunk: bytes) -> None:
                    digest.update(chunk)
                    stream.write(chunk)

                source(sink)
                if digest.hexdigest() != pin.sha256:
                    raise WheelHashMismatch(pin.filename, pin.sha256, digest.hexdigest(), origin)
                stream.flush()
                self.path(pin).parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(self.path(pin))
