"""What can be wrong with wheels, and with finding them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from packer.errors import SendoffError

if TYPE_CHECKING:
    from packer.environment.environment_report import EnvironmentReport


_DENIED = ("answered 401", "answered 403")


class Wheelless(NamedTuple):
    """A distribution that no wheel was found of."""

    name: str
    version: str
    seen: str
    """A file of it that is for the sandbox's platform only."""
    reason: str = ""
    glibc: str = ""
    """The oldest with which a wheel of it would run, "2.34"; empty where no glibc helps."""


class NoWheelForTarget(SendoffError):
    """Distributions whose installed files do not fit the target, and no wheel does."""

    code, phase = "NO_WHEEL_FOR_TARGET", "environment"

    def __init__(
        self,
        distributions: Sequence[Wheelless],
        target: str,
        report: EnvironmentReport | None = None,
    ) -> None:
        super().__init__(distributions, target, report)
        self.distributions, self.target, self.report = tuple(distributions), target, report

    def what(self) -> str:
        named = [f"{each.name} {each.version}" for each in self.distributions]
        have = "has" if len(named) == 1 else "have"
        return f"{', '.join(named)} {have} no wheel for {self.target}"

    def why(self) -> str:
        return "what is installed here was built for another platform"

    def evidence(self) -> str:
        return "; ".join(
            f"{each.name}: {each.reason}, {each.seen}" if each.reason else each.seen
            for each in self.distributions
        )

    def fix(self) -> str:
        first = self.distributions[0].name
        newer = max((each.glibc for each in self.distributions), key=_numbers)
        base = f"; or a base with glibc {newer}: --base …" if newer else ""
        return f"choose a version with one: pip index versions {first}; or uninstall it{base}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()


class WheelHashMismatch(SendoffError):
    """A wheel's bytes are not those that the lock pins."""

    code, phase = "WHEEL_HASH_MISMATCH", "environment"

    def __init__(self, filename: str, expected: str, actual: str, source: str) -> None:
        super().__init__(filename, expected, actual, source)
        self.filename, self.expected, self.actual = filename, expected, actual
        self.source = source

    def what(self) -> str:
        return f"{self.filename} is not the wheel that was locked"

    def why(self) -> str:
        return f"its sha256 is {self.actual[:12]}…, expected {self.expected[:12]}…"

    def evidence(self) -> str:
        return self.source

    def fix(self) -> str:
        return "pack again; if it stays, the index or a proxy serves altered files: tell its owner"


class WheelUnavailable(SendoffError):
    """A wheel of the lock could not be fetched."""

    code, phase, retryable = "WHEEL_UNAVAILABLE", "environment", True

    def __init__(self, filename: str, source: str, said: str, *, absent: bool = False) -> None:
        """`absent`: whoever was asked answered, and has no such thing."""
        super().__init__(filename, source, said, absent)
        self.filename, self.source, self.said = filename, source, said
        self.absent = absent

    def what(self) -> str:
        return f"{self.filename} could not be fetched"

    def why(self) -> str:
        return self.said

    def evidence(self) -> str:
        return self.source

    def fix(self) -> str:
        if self.said.endswith(_DENIED):
            return (
                "give its index a login, in the URL, UV_INDEX_<NAME>_USERNAME and _PASSWORD, "
                "or ~/.netrc, and pack again"
            )
        return "check the network and pack again; what was fetched is kept"


class WheelCorrupt(SendoffError):
    """A wheel that cannot be read, or holds what no wheel may."""

    code, phase = "WHEEL_CORRUPT", "environment"

    def __init__(self, filename: str, reason: str) -> None:
        super().__init__(filename, reason)
        self.filename, self.reason = filename, reason

    def what(self) -> str:
        return f"{self.filename} is not a sound wheel"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "pack again to fetch it anew; if it stays, tell its maintainers"


class FileAltered(SendoffError):
    """An installed file is no longer what it was when the environment was locked."""

    code, phase, retryable = "TREE_CHANGED", "environment", True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def what(self) -> str:
        return f"{self.path} changed while it was packed"

    def fix(self) -> str:
        return "pack again when nothing is being installed"
