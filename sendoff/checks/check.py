"""One thing that `sendoff doctor` looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from packer.errors import SendoffError
from packer.record import Record
from sendoff import unforeseen


class Check(Record, frozen=True):
    """What was looked at and found."""

    area: str
    """Such as "registry"."""
    what: str
    state: Literal["ok", "poor", "problem"] = "ok"
    """Poor: runs work, with less comfort."""
    said: str = ""
    fix: str = ""
    """What to do, where something is wrong: a command, mostly."""


def of_error(area: str, what: str, failure: SendoffError | OSError) -> Check:
    """The check that an error made fail."""
    error = failure if isinstance(failure, SendoffError) else unforeseen.told(failure)
    said = ": ".join(filter(None, (error.what(), error.why(), error.evidence())))
    return Check(
        area=area, what=what, state="problem", said=" ".join(said.split()), fix=error.fix()
    )


class Checks:
    """Collects the checks of one area."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.made: list[Check] = []

    @contextmanager
    def one(self, what: str) -> Iterator[Finding]:
        """Look at one thing: an error makes it a problem, and is not raised."""
        finding = Finding()
        try:
            yield finding
        except (SendoffError, OSError) as error:
            self.made.append(of_error(self.area, what, error))
        else:
            self.made.append(
                Check(
                    area=self.area,
                    what=what,
                    state=finding.state,
                    said=finding.said,
                    fix=finding.fix,
                )
            )

    @property
    def last(self) -> Check:
        """The one that was just made."""
        return self.made[-1]

    @property
    def good(self) -> bool:
        """Whether there was no problem so far."""
        return all(each.state != "problem" for each in self.made)


class Finding:
    """What comes of looking at one thing; all is well unless somebody says otherwise."""

    def __init__(self) -> None:
        self.state: Literal["ok", "poor", "problem"] = "ok"
        self.said = self.fix = ""

    def poor(self, said: str, fix: str = "") -> None:
        """It works, with less comfort."""
        self.state, self.said, self.fix = "poor", said, fix

    def problem(self, said: str, fix: str = "") -> None:
        """It does not work."""
        self.state, self.said, self.fix = "problem", said, fix
