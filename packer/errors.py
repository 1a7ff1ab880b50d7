"""The root of every error sendoff raises on purpose, and those of packing.

An error carries data; its words are derived from the data. `code` is stable and part of the
interface. The front door catches `SendoffError` once and shows at most four lines: what failed,
why, the evidence, and the command that fixes it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SendoffError(Exception):
    """Something failed that a person or an agent can act on."""

    code: ClassVar[str] = "INTERNAL"
    phase: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 125
    retryable: ClassVar[bool] = False

    def what(self) -> str:
        """What failed, in one line."""
        return self.code

    def why(self) -> str:
        """The cause, in one line; empty where `what` says it all."""
        return ""

    def evidence(self) -> str:
        """What was seen: names, sizes, the other side's own words."""
        return ""

    def fix(self) -> str:
        """What to do about it, a command wherever there is one."""
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The machine's form: `code, phase, message, cause, evidence, fix, retryable`."""
        return {
            "code": self.code,
            "phase": self.phase,
            "message": self.what(),
            "cause": self.why(),
            "evidence": self.evidence(),
            "fix": self.fix(),
            "retryable": self.retryable,
        }

    def __str__(self) -> str:
        return ": ".join(line for line in (self.what(), self.why()) if line)
