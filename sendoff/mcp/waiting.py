"""The tool that waits: a look at the runs now and then, which ends with whoever asked."""

from __future__ import annotations

import time

from dispatcher.observer import Observer
from dispatcher.runner.address import is_s3
from dispatcher.status import IndexStatus
from packer.digest import Digest
from packer.record import encode
from sendoff.mcp import answers, questions, telling
from sendoff.mcp.answers import Step
from sendoff.mcp.desk import Desk

_PERIOD, _FAR_PERIOD = 0.05, 0.5
_REST = 4
"""Times as long as a look takes, until the next."""


class Watch:
    """Looks at runs. What a target has open for that stays open from look to look."""

    def __init__(self, desk: Desk, question: questions.Wait) -> None:
        self._chosen = desk.select(question.runs)
        self._cursor, self._seconds = question.cursor, question.seconds
        self._began = time.monotonic()
        places = self._chosen[0].run.places
        self._observers = [Observer(each.run.id, places) for each in self._chosen]
        self._period = _FAR_PERIOD if is_s3(places.store) else _PERIOD
        self.pause = self._period
        """Seconds until the next look is due."""

    def look(self) -> answers.Waited | None:
        """What waiting has come to; None as long as there is nothing to say."""
        began = time.monotonic()
        for chosen, observer in zip(self._chosen, self._observers, strict=True):
            chosen.run.take(observer.all(), began)
        now = time.monotonic()
        left = self._began + self._seconds - now
        self.pause = min(max(self._period, _REST * (now - began)), max(left, 0))
        statuses = [index.status for each in self._chosen for index in each.indexes]
        ended, cursor = all(each.final for each in statuses), self._state(statuses)
        if ended or left <= 0 or self._cursor not in ("", cursor):
            return self._answer(ended=ended, cursor=cursor, waited=now - self._began)
        return None

    def close(self) -> None:
        """Look no more."""
        for observer in self._observers:
            observer.close()

    def _state(self, statuses: list[IndexStatus]) -> str:
        """The same as long as nothing happens."""
        seen = [
            (each.state, each.attempts, each.waiting.code if each.waiting else "")
            for each in statuses
        ]
        return Digest.of(encode([[each.name for each in self._chosen], seen])).hex[:16]

    def _answer(self, *, ended: bool, cursor: str, waited: float) -> answers.Waited:
        if ended:
            for each in self._chosen:
                each.run.attach()
        names = [each.name for each in self._chosen]
        steps: list[Step] = []
        if not ended:
            again = {"runs": names, "cursor": cursor}
            steps.append(Step(tool="wait", arguments=again, why="returns when anything changes"))
        elif len(names) > 1:
            steps.append(Step(tool="compare", arguments={"runs": names}, why="side by side"))
        for each in self._chosen[:1] if ended else ():
            steps += telling.after(each)
        return answers.Waited(
            ended=ended,
            waited=round(waited, 3),
            runs=tuple(map(telling.going, self._chosen)),
            cursor=cursor,
            next=tuple(steps),
        )
