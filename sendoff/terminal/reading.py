"""What runs printed, on our own streams."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Sequence

from dispatcher.logs import LogEvent
from sendoff.errors import Misuse
from sendoff.handle import Index
from sendoff.terminal.console import Console
from sendoff.terminal.following import write

FOLLOWED_LIMIT = 200
"""Indexes that are followed at once; each takes a thread."""

Arrival = tuple[Index, LogEvent] | Exception | None


class Reader:
    """Prints logs: raw where there is one, in lines with their index where there are several."""

    def __init__(self, console: Console, *, several: bool, timestamps: bool) -> None:
        self._machine = console.machine
        self._several, self._timestamps = several, timestamps
        self._rest: dict[tuple[int, str], str] = {}

    def read(self, indexes: Sequence[Index], *, follow: bool, tail: int | None) -> None:
        """Print what there is, and with `follow` what comes until all have ended."""
        if follow and self._several:
            self._follow_all(indexes, tail)
        else:
            for index in indexes:
                for event in index.events(follow=follow, tail=tail):
                    self._print(index, event)
                self._flush(index)

    def _follow_all(self, indexes: Sequence[Index], tail: int | None) -> None:
        if len(indexes) > FOLLOWED_LIMIT:
            raise Misuse(
                f"can't follow {len(indexes)} indexes at once",
                f"the limit is {FOLLOWED_LIMIT}",
                "follow one of them: sendoff logs -f RUN/INDEX",
            )
        arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()

        def listen(index: Index) -> None:
            try:
                for event in index.events(tail=tail):
                    arrivals.put((index, event))
                arrivals.put(None)
            except Exception as error:  # noqa: BLE001 (it is raised where it is heard of)
                arrivals.put(error)

        for index in indexes:
            threading.Thread(target=listen, args=(index,), daemon=True).start()
        left = len(indexes)
        while left:
            arrival = arrivals.get()
            if arrival is None:
                left -= 1
            elif isinstance(arrival, Exception):
                raise arrival
            else:
                self._print(*arrival)
        for index in indexes:
            self._flush(index)

    def _print(self, index: Index, event: LogEvent) -> None:
        if self._machine:
            place = {"index": index.number, "time": event.time, "stream": event.stream}
            text = event.text.encode(errors="surrogateescape").decode(errors="replace")
            sys.stdout.write(json.dumps(place | {"text": text}) + "\n")
            sys.stdout.flush()
        elif self._several or self._timestamps:
            key = (index.number, event.stream)
            *lines, self._rest[key] = (self._rest.get(key, "") + event.text).split("\n")
            for line in lines:
                self._line(index, event.stream, line, event.time)
        else:
            write(event.text, to_stderr=event.stream == "stderr")

    def _flush(self, index: Index) -> None:
        """Print what has no line end yet."""
        for stream in ("stdout", "stderr"):
            if rest := self._rest.pop((index.number, stream), ""):
                self._line(index, stream, rest, None)

    def _line(self, index: Index, stream: str, line: str, seconds: float | None) -> None:
        time = f"{seconds:9.3f} " if self._timestamps and seconds is not None else ""
        number = f"[{index.number}] " if self._several else ""
        write(f"{number}{time}{line}\n", to_stderr=stream == "stderr")
