"""What a budget refuses. See `packer.errors` for the form."""

from __future__ import annotations

from packer.errors import SendoffError


def _group(name: str) -> str:
    return f"the group {name}" if name else "runs without a group"


class TimeoutNeeded(SendoffError):
    """GPU-hours are limited, and a request has no time-out."""

    code, phase = "BUDGET_TIMEOUT", "budget"

    def __init__(self, group: str, limit: float) -> None:
        super().__init__(group, limit)
        self.group, self.limit = group, limit

    def what(self) -> str:
        return "a run on GPUs needs a time-out here"

    def why(self) -> str:
        return f"{_group(self.group)} may use {self.limit:g} GPU-hours, and this has no end"

    def fix(self) -> str:
        return "give it a time limit: --timeout 30m"


class GpuHoursExhausted(SendoffError):
    """What is asked for might take more GPU-hours than are left."""

    code, phase = "BUDGET_GPU_HOURS", "budget"

    def __init__(
        self, group: str, limit: float, spent: float, reserved: float, asked: float
    ) -> None:
        super().__init__(group, limit, spent, reserved, asked)
        self.group, self.limit, self.asked = group, limit, asked
        self.spent, self.reserved = spent, reserved

    def what(self) -> str:
        return f"this might take {self.asked:.4g} GPU-hours, and {self._left:.4g} are left"

    def why(self) -> str:
        return f"{_group(self.group)} may use {self.limit:g} GPU-hours"

    def evidence(self) -> str:
        return f"used: {self.spent:.4g}; kept for what is under way: {self.reserved:.4g}"

    def fix(self) -> str:
        return "a shorter --timeout, fewer set-ups or GPUs; or raise SENDOFF_BUDGET_GPU_HOURS"

    @property
    def _left(self) -> float:
        return max(0.0, self.limit - self.spent - self.reserved)


class RunsExhausted(SendoffError):
    """As many runs are under way as may be."""

    code, phase, retryable = "BUDGET_RUNS", "budget", True

    def __init__(self, group: str, limit: int, under_way: int, asked: int) -> None:
        super().__init__(group, limit, under_way, asked)
        self.group, self.limit = group, limit
        self.under_way, self.asked = under_way, asked

    def what(self) -> str:
        return f"{self.asked} more at once would be too many: {self.under_way} are under way"

    def why(self) -> str:
        return f"{_group(self.group)} may have {self.limit} at once"

    def fix(self) -> str:
        if self.asked > self.limit:
            return f"let fewer run at once: --max-parallel {self.limit}"
        return "wait until some have ended, or let fewer run at once: --max-parallel N"
