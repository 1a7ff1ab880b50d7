"""What came out otherwise than it did before. The exit code is 3, whatever it was that differs."""

from __future__ import annotations

import re

from packer.errors import SendoffError
from packer.reproduction.difference import Difference

NOT_REPRODUCED = 3
"""The exit code: it ran, and is not what it was."""


class NotReproduced(SendoffError):
    """The level that was asked for does not hold."""

    code, phase, exit_code = "OUTPUT_MISMATCH", "reproduction", NOT_REPRODUCED

    def __init__(
        self, digest: str, level: str, difference: Difference, cause: Difference | None = None
    ) -> None:
        super().__init__(digest, level, difference, cause)
        self.digest, self.level = digest, level
        self.difference, self.cause = difference, cause

    def what(self) -> str:
        return f"{self.digest} does not reach {self.level}"

    def why(self) -> str:
        return sentence(self.difference)

    def evidence(self) -> str:
        return sentence(self.cause) if self.cause else ""

    def fix(self) -> str:
        return (
            "fix the seeds in the command and pack with --deterministic; or be content with a "
            "tolerance: --level L3 --rtol 0.01"
        )


class HardwareDiffers(NotReproduced):
    """It ran on other hardware, which may be why."""

    code = "HARDWARE_DIFFERS"

    def fix(self) -> str:
        return f"ask for what it ran on ({self.cause.was if self.cause else ''}), or for --level L3"


class EnvironmentDrift(NotReproduced):
    """What it was packed from, or what surrounds it, is not what it was."""

    code = "ENV_DRIFT"

    def fix(self) -> str:
        decisive = self.cause or self.difference
        if decisive.what != "environment":
            return "sendoff diff tells all that differs between two digests"
        if _HASH.fullmatch(decisive.was):
            return (
                "have it built by the BuildKit that made it, --builder; what it makes of a source "
                "may differ each time, and --level L2 takes the image as it is"
            )
        return "have the Python here that it was packed with: uv python install VERSION"


class NothingToCompare(NotReproduced):
    """Nobody knows what came of this image before."""

    code = "NOTHING_TO_COMPARE"

    def why(self) -> str:
        return self.difference.detail

    def fix(self) -> str:
        return (
            f"this was its first run; the next is compared with it: sendoff reproduce {self.digest}"
        )


_HARDWARE = frozenset({"driver", "gpu", "machine"})
_DRIFT = frozenset(
    {"tree", "lock", "base", "environment", "request", "digest", "command", "inputs", "variables"}
)


def failure(
    digest: str, level: str, difference: Difference, cause: Difference | None = None
) -> NotReproduced:
    """The error of the kind that the first difference, or its cause, is of."""
    decisive = cause or difference
    kind = NotReproduced
    if difference.what == "nothing":
        kind = NothingToCompare
    elif decisive.what in _HARDWARE:
        kind = HardwareDiffers
    elif decisive.what in _DRIFT:
        kind = EnvironmentDrift
    return kind(digest, level, difference, cause)


def sentence(difference: Difference) -> str:
    """Such as "outputs: model.pt: was 1f3a…, is 90bc…"."""
    parts = [difference.what]
    if difference.detail:
        parts.append(difference.detail)
    if difference.was != difference.now:
        parts.append(f"was {_short(difference.was)}, is {_short(difference.now)}")
    return ": ".join(parts)


_SHOWN = 80
_HASH = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


def _short(text: str) -> str:
    if not text:
        return "none"
    if _HASH.fullmatch(text):
        return text[: -(64 - 12)] + "…"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
