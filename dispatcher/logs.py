"""What a command printed, from the store: as far as it has come, or as it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Literal

from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.status import IndexStatus
from dispatcher.store import Missing, RunKeys, Runs
from packer.record import Record

# Short at first, for commands that are over in no time. A bucket is asked less often: what it
# gets, it gets every two seconds; but its first lines are waited for.
_PERIOD, _LONG_PERIOD = 0.01, 0.05
_LONG = 10.0
_FIRST_BUCKET_PERIOD, _EARLY_BUCKET_PERIOD, _BUCKET_PERIOD = 0.05, 0.1, 0.5
_STREAMS: dict[str, Literal["stdout", "stderr"]] = {"out": "stdout", "err": "stderr"}


class LogEvent(Record, frozen=True):
    """A piece of output as the command wrote it: any part of a line, or many lines."""

    time: float
    """Seconds since the command's start."""
    stream: Literal["stdout", "stderr"]
    text: str
    """Bytes that are not UTF-8 are lone surrogates (`os.fsencode` restores them)."""


def follow(
    run_id: str,
    index: int,
    places: Places,
    *,
    follow: bool = True,
    tail: int | None = None,
    seen: Callable[[IndexStatus], None] | None = None,
) -> Iterator[LogEvent]:
    """The log of an index's latest attempt, both streams in the order in which they came.

    With `follow` it goes on until the index has ended, through further attempts; without it, it
    ends with what there is when it begins, however much is printed meanwhile. With `tail` it
    begins with the last so many lines of that. `seen` is told how the index is at each look.

    Raises:
        RunUnknown: there is no such run, or no such index.
    """
    with Observer(run_id, places) as observer:
        observer.one(index)
        reader = _Reader(observer.runs, RunKeys(observer.run.id), index)
        if tail is not None:
            yield from reader.tail(tail)
        elif not follow:
            yield from reader.so_far()
        if not follow:
            return
        pace = _Pace(grows=observer.runs.store.appends)
        while True:
            # Looked at before reading: what the attempt wrote, it wrote before it ended.
            status = observer.one(index)
            if seen:
                seen(status)
            if reader.run != observer.run.id:
                # It was an order, and an earlier run answers for it.
                reader = _Reader(observer.runs, RunKeys(observer.run.id), index)
            for event in reader.read():
                pace.came()
                yield event
            if status.final:
                return
            time.sleep(pace.pause())


class _Pace:
    """How soon to look again: often at first, when there are new lines often and someone waits."""

    def __init__(self, *, grows: bool) -> None:
        """`grows`: lines are there at once, and not a chunk at a time."""
        self._grows = grows
        self._since: float | None = time.monotonic() if grows else None

    def came(self) -> None:
        """Something has come."""
        if self._since is None:
            self._since = time.monotonic()

    def pause(self) -> float:
        """Seconds."""
        early = self._since is None or time.monotonic() - self._since < _LONG
        if self._grows:
            return _PERIOD if early else _LONG_PERIOD
        if self._since is None:
            return _FIRST_BUCKET_PERIOD
        return _EARLY_BUCKET_PERIOD if early else _BUCKET_PERIOD


class _Reader:
    """A place in an index's log."""

    def __init__(self, runs: Runs, keys: RunKeys, index: int) -> None:
        self._runs, self._keys, self._index = runs, keys, index
        self._attempt = max(self._attempts(), default=1)
        self._chunk = self._offset = 0

    @property
    def run(self) -> str:
        """Whose log it is."""
        return self._keys.run

    def read(self) -> Iterator[LogEvent]:
        """What has come since the last call."""
        chunks = self._growing if self._runs.store.appends else self._whole
        while True:
            yield from chunks()
            later = [attempt for attempt in self._attempts() if attempt > self._attempt]
            if not later:
                return
            yield from chunks()
            self._attempt, self._chunk, self._offset = later[0], 0, 0

    def so_far(self) -> Iterator[LogEvent]:
        """All there is now; a program may print faster than anybody reads."""
        chunks = self._chunks()
        if not chunks:
            return
        # The only one that grows yet.
        latest = self._get(chunks[-1], 0)
        for chunk in chunks[:-1]:
            yield from _events(self._get(chunk, 0))
        yield from _events(_whole_lines(latest))

    def tail(self, lines: int) -> Iterator[LogEvent]:
        """The last lines of what there is; reading goes on behind them."""
        chunks = self._chunks()
        if not chunks:
            return
        self._chunk = chunks[-1]
        latest = list(self._read_chunk())
        for chunk in reversed(chunks[:-1]):
            if sum(event.text.count("\n") for event in latest) > lines:
                break
            latest = _events(self._get(chunk, 0)) + latest
        if not self._runs.store.appends:
            self._chunk, self._offset = self._chunk + 1, 0
        yield from _last_lines(latest, lines)

    def _growing(self) -> Iterator[LogEvent]:
        """Further lines and chunks, where lines are appended until there is a next chunk."""
        yield from self._read_chunk()
        while self._runs.store.has(self._key(self._chunk + 1)):
            yield from self._read_chunk()
            self._chunk, self._offset = self._chunk + 1, 0
            yield from self._read_chunk()

    def _whole(self) -> Iterator[LogEvent]:
        """Further chunks, where each is stored as a whole."""
        while data := self._get(self._chunk, 0):
            self._chunk += 1
            yield from _events(data)

    def _read_chunk(self) -> Iterator[LogEvent]:
        data = self._get(self._chunk, self._offset)
        whole = _whole_lines(data)
        self._offset += len(whole)
        yield from _events(whole)

    def _get(self, chunk: int, start: int) -> bytes:
        try:
            return self._runs.store.get(self._key(chunk), start)
        except Missing:
            return b""

    def _chunks(self) -> list[int]:
        """The chunks there are, ascending."""
        names = self._runs.store.names(self._keys.log_prefix(self._index, self._attempt))
        return [int(name.partition(".")[0]) for name in names]

    def _key(self, chunk: int) -> str:
        return self._keys.log(self._index, self._attempt, chunk)

    def _attempts(self) -> list[int]:
        return self._runs.attempts(self._keys.run, self._index)


def _whole_lines(data: bytes) -> bytes:
    """Less the last one, where that is in the middle of being written."""
    return data[: data.rfind(b"\n") + 1]


def _events(lines: bytes) -> list[LogEvent]:
    return [
        LogEvent(time=seconds, stream=_STREAMS[stream], text=text)
        for seconds, stream, text in map(json.loads, lines.splitlines())
    ]


def _last_lines(events: list[LogEvent], lines: int) -> list[LogEvent]:
    if lines <= 0:
        return []
    kept: list[LogEvent] = []
    # The newline that ends the very last line begins no further one.
    ends = -1 if events and events[-1].text.endswith("\n") else 0
    for event in reversed(events):
        ends += event.text.count("\n")
        if ends >= lines:
            parts = event.text.split("\n")
            text = "\n".join(parts[ends - lines + 1 :])
            if text:
                kept.append(LogEvent(time=event.time, stream=event.stream, text=text))
            break
        kept.append(event)
    return kept[::-1]
