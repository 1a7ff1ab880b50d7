"""What reproducing an image has shown."""

from __future__ import annotations

from typing import Any, Literal

from dispatcher.likeness import Measured
from packer.digest import Digest
from packer.record import Record
from packer.reproduction.difference import Difference
from sendoff.reproduction import errors as reproduction_errors
from sendoff.reproduction.errors import NotReproduced

LevelName = Literal["L0", "L1", "L2", "L3"]
LEVELS: dict[LevelName, str] = {
    "L0": "identity",
    "L1": "rebuild",
    "L2": "bitwise",
    "L3": "statistical",
}
"""What each is called; docs/reproduction.md says what it takes."""


class Level(Record, frozen=True):
    """One level: whether it holds."""

    name: LevelName
    holds: bool | None
    """None where it was not looked at."""
    why: str = ""
    """What it rests on, why it fails, or why nobody looked."""


class Report(Record, frozen=True):
    """What was found out about one index, or about several together."""

    reference: str
    """As it was named."""
    digest: Digest
    command: tuple[str, ...]
    asked: LevelName
    levels: tuple[Level, ...]
    difference: Difference | None = None
    """The first difference at the level that was asked for; None where it holds."""
    cause: Difference | None = None
    """Why the outputs differ, as far as anything recorded tells."""
    run: str = ""
    """The run that was made for this; empty where nothing was run."""
    earlier: str = ""
    """The run it is compared with; empty where none is known."""
    rtol: float = 0
    files: int = 0
    """Output files of the earlier run."""
    metrics: tuple[Measured, ...] = ()
    hardware: dict[str, str] = {}
    """What it ran on before and now: "was", "now"."""
    seconds: float = 0
    """That all of it took."""
    indexes: tuple[Report, ...] = ()
    """Of several indexes, what was found out about each."""

    @property
    def holds(self) -> bool:
        """Whether the level that was asked for does."""
        return any(each.holds for each in self.levels if each.name == self.asked)

    @property
    def level(self) -> str:
        """The strongest that holds of how the outputs are alike: L2, L3, L0; or L1; or nothing."""
        holding = {each.name for each in self.levels if each.holds}
        return next((name for name in ("L2", "L3", "L1", "L0") if name in holding), "")

    def failure(self) -> NotReproduced | None:
        """The error that says so where the level does not hold."""
        if self.holds:
            return None
        difference = self.difference or Difference(
            what="nothing", was="", now="", detail="there was nothing to look at"
        )
        return reproduction_errors.failure(self.digest, self.asked, difference, self.cause)


def document(report: Report) -> dict[str, Any]:
    """The machine's form."""
    import msgspec

    failure = report.failure()
    fields = {
        name: msgspec.to_builtins(getattr(report, name), enc_hook=str)
        for name in report.__struct_fields__
        if name != "indexes"
    }
    return {
        **fields,
        "holds": report.holds,
        "level": report.level,
        "failure": failure.as_dict() if failure else None,
        "indexes": [document(each) for each in report.indexes],
    }
