"""The progress of a build, read from buildx's `--progress=rawjson`.

Each line is a SolveStatus (moby/buildkit, client/graph.go): vertexes, statuses, logs, warnings.
What is no JSON object is buildx itself speaking.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import deque
from datetime import datetime
from typing import Any

from packer.buildkit.build import Step
from packer.progress import Progress

_LINE = 100
_KEPT = 50
"""Lines kept of each step's output."""
_CACHE = re.compile(r"^(?:\[[^\]]*\] )?(?:importing|exporting) cache ")
"""The steps that look for a shared cache and leave one; `bake` puts a target's name in front."""


class Running:
    """A vertex of the build: a step that has been told of."""

    def __init__(self, name: str) -> None:
        self.name, self.error = name, ""
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.cached = False
        self.output: deque[str] = deque(maxlen=_KEPT)
        self._rest: dict[int, str] = {}

    @property
    def seconds(self) -> float:
        """How long it took."""
        if not self.started or not self.ended:
            return 0.0
        return max((self.ended - self.started).total_seconds(), 0.0)

    def say(self, text: str, stream: int = 1) -> None:
        """It wrote `text` to a stream: 1 or 2. It need not end with a line, and the other stream's
        comes in between.
        """
        *lines, self._rest[stream] = (self._rest.get(stream, "") + text).split("\n")
        # What overwrites itself is told as it stood last.
        self.output.extend(line.rstrip("\r").rpartition("\r")[2] for line in lines)

    @property
    def tail(self) -> str:
        """The last that it wrote."""
        return "\n".join([*self.output, *filter(None, self._rest.values())])


class Steps:
    """All steps of one build, and a listener that is told of them one at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._steps: dict[str, Running] = {}
        self._order: list[Running] = []
        self._shown: Running | None = None
        self.said: list[str] = []
        """Lines of buildx itself."""

    def feed(self, line: str) -> None:
        """Take the next line."""
        try:
            status = json.loads(line)
        except ValueError:
            status = None
        if not isinstance(status, dict):
            if line.strip():
                self.said.append(line.rstrip())
            return
        for vertex in status.get("vertexes") or ():
            self._vertex(vertex)
        for log in status.get("logs") or ():
            step = self._steps.get(log.get("vertex", ""))
            if step:
                text = b64decode(log.get("data") or "").decode(errors="replace")
                step.say(text, log.get("stream", 1))
        self._show()

    @property
    def began(self) -> bool:
        """Whether the builder has done anything."""
        return any(step.started for step in self._steps.values())

    @property
    def done(self) -> tuple[Step, ...]:
        """Those that ended, in that order."""
        return tuple(
            Step(name=step.name, seconds=round(step.seconds, 3), cached=step.cached)
            for step in self._order
        )

    @property
    def failed(self) -> Running | None:
        """The first that ended with an error of its own; None where none ended the build.

        A cache that cannot be had is told as an error, and the build goes on without.
        """
        running = [step for step in self._steps.values() if not step.ended]
        wrong = [step for step in (*self._order, *running) if step.error]
        wrong = [step for step in wrong if not _CACHE.search(step.name)]
        own = [step for step in wrong if "context canceled" not in step.error]
        return next(iter(own or wrong), None)

    @property
    def last(self) -> str:
        """The name of the step that was being done, or had ended last."""
        running = [step.name for step in self._steps.values() if step.started and not step.ended]
        return (running or [step.name for step in self._order] or [""])[-1]

    def close(self) -> None:
        """There is nothing more to come."""
        if self._shown:
            self._progress.done()
            self._shown = None

    def _vertex(self, vertex: dict[str, Any]) -> None:
        digest = vertex.get("digest", "")
        step = self._steps.setdefault(digest, Running(vertex.get("name", "")))
        step.started = _time(vertex.get("started")) or step.started
        step.cached = step.cached or bool(vertex.get("cached"))
        step.error = vertex.get("error") or step.error
        ended = _time(vertex.get("completed"))
        if ended and not step.ended:
            self._order.append(step)
        step.ended = ended

    def _show(self) -> None:
        """Tell of the step that has run for the longest, until it ends."""
        if self._shown and self._shown.ended:
            self._progress.done("cached" if self._shown.cached else "")
            self._shown = None
        running = [step for step in self._steps.values() if step.started and not step.ended]
        if running and not self._shown:
            self._shown = running[0]
            self._progress.start(shown(self._shown.name))


def shown(name: str) -> str:
    """A step's name on one line."""
    words = " ".join(name.replace("\\\n", " ").split())
    return words if len(words) <= _LINE else words[: _LINE - 1] + "…"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
