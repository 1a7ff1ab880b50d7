"""What a group of runs may use, and whether another request still fits. Pure.

GPU-hours are counted as Slurm counts them under `AccountingStorageEnforce=safe`: by what attempts
took, as `usage` has it, and for what is under way and what is asked for up to its time-out. So the
limit holds, whatever a command does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dispatcher import gpu_expression, usage
from dispatcher.budget_errors import GpuHoursExhausted, RunsExhausted, TimeoutNeeded
from dispatcher.errors import GpuExpressionInvalid
from dispatcher.request import Request
from dispatcher.status import IndexStatus
from dispatcher.usage import Held
from packer.record import Record

HOUR = 3600
_ROUNDING = 1e-9
"""Of sums of hours: what fits exactly is to fit."""


class Budget(Record, frozen=True):
    """The limits of each group; 0 for none."""

    gpu_hours: float = 0
    runs: int = 0
    """Indexes that may be under way at once."""

    def __bool__(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.gpu_hours or self.runs)


class Share(Record, frozen=True):
    """What one run, or all runs of a group, take of a budget."""

    spent: float = 0
    """GPU-hours so far."""
    reserved: float = 0
    """GPU-hours that what is under way may add; without a time-out, nobody knows: 0."""
    under_way: int = 0
    """Indexes that are queued or running, less those that others of their run have to wait for."""

    def __add__(self, other: Share) -> Share:
        return Share(
            spent=self.spent + other.spent,
            reserved=self.reserved + other.reserved,
            under_way=self.under_way + other.under_way,
        )


class Demand(Record, frozen=True):
    """What a request asks for at most."""

    gpus: int
    """Of each index; of a list of classes, the largest count."""
    hours: float
    """GPU-hours; infinite without a time-out."""
    indexes: int
    """That may be under way at once."""


def demand(request: Request) -> Demand:
    """What a request may come to."""
    gpus, count = gpus_of(request), len(request.inputs)
    hours = gpus * count * (request.timeout / HOUR or float("inf")) if gpus else 0.0
    return Demand(gpus=gpus, hours=hours, indexes=_at_once(request, count))


def gpus_of(request: Request) -> int:
    """GPUs of each index of a request; the largest count where there is a choice."""
    try:
        wanted = gpu_expression.parse(request.resources.gpu)
    except GpuExpressionInvalid:
        # The local target takes any words.
        return 1
    return max((each.count for each in wanted), default=0)


def share(
    request: Request, indexes: Sequence[IndexStatus], held: Iterable[Held], now: float
) -> Share:
    """What a run takes that was sent off, at `now` seconds since the epoch.

    `held` is what all its attempts had until now.
    """
    most = gpus_of(request) * request.timeout / HOUR
    left = [each for each in indexes if not each.final]
    so_far = (usage.gpu_hours(usage.of_statuses(request, (each,), now)) for each in left)
    return Share(
        spent=usage.gpu_hours(held),
        reserved=sum(max(0.0, most - hours) for hours in so_far),
        under_way=_at_once(request, len(left)),
    )


def total(shares: Iterable[Share]) -> Share:
    """What runs take together."""
    return sum(shares, Share())


def judge(budget: Budget, group: str, used: Share, asked: Demand) -> None:
    """Refuse what does not fit any more.

    Raises:
        TimeoutNeeded: GPU-hours are limited, and there is no limit to what this takes.
        GpuHoursExhausted
        RunsExhausted: it may fit later.
    """
    if budget.gpu_hours and asked.gpus:
        if asked.hours == float("inf"):
            raise TimeoutNeeded(group, budget.gpu_hours)
        if used.spent + used.reserved + asked.hours > budget.gpu_hours + _ROUNDING:
            raise GpuHoursExhausted(group, budget.gpu_hours, used.spent, used.reserved, asked.hours)
    if budget.runs and used.under_way + asked.indexes > budget.runs:
        raise RunsExhausted(group, budget.runs, used.under_way, asked.indexes)


def _at_once(request: Request, count: int) -> int:
    return min(count, request.max_parallel) if request.max_parallel else count
