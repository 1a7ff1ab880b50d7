"""What runs took of the hardware and what that costs, by the prices of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from dispatcher import attempts, usage
from dispatcher.gpu_expression import CPU, canonical
from dispatcher.run import Phases
from dispatcher.usage import ClassUsage, Held
from packer.record import Record
from sendoff.handle import Run
from sendoff.quantities import show_duration

HEADER = ["class", "indexes", *Phases.__struct_fields__, "gpu-hours", "busy", "cost"]
_SHORT = 0.1
"""Hours below which two decimals would say nothing."""
AT_ONCE = 8
"""Runs that are looked at side by side."""


class Bill(Record, frozen=True):
    """What some runs took, by GPU class."""

    classes: tuple[ClassUsage, ...]
    prices: dict[str, float]
    """Of an hour of one GPU, by the class's canonical name."""
    currency: str
    unknown: int = 0
    """Earlier attempts that left no word of what they took."""

    def price(self, gpu: str) -> float | None:
        """Of an hour of one GPU; None where the configuration has none.

        Where nobody knows which of several classes it was, only a price that they share will do.
        """
        prices = {self.prices.get(canonical(name)) for name in gpu.split(",")}
        return prices.pop() if len(prices) == 1 else None

    def cost(self, used: ClassUsage) -> float | None:
        """Of one class; None where it has no price."""
        price = 0.0 if used.gpu == CPU else self.price(used.gpu)
        return None if price is None else price * used.gpu_hours

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Classes that GPUs were held of, and that have no price."""
        return tuple(used.gpu for used in self.classes if self.cost(used) is None)

    @property
    def total(self) -> float:
        """Of all classes that have a price."""
        return sum(self.cost(used) or 0.0 for used in self.classes)

    @property
    def gpu_hours(self) -> float:
        """Of all classes."""
        return sum(used.gpu_hours for used in self.classes)


def of_runs(runs: Sequence[Run], prices: Mapping[str, float], currency: str) -> Bill:
    """The bill of these runs, with what has come together of those that go on."""
    held: list[Held] = []
    unknown = 0
    for run in runs:
        found = [*_of_run(run)]
        held += (each for each in found if each)
        unknown += found.count(None)
    return Bill(
        classes=usage.by_class(held), prices=dict(prices), currency=currency, unknown=unknown
    )


def of_run(run: Run) -> Bill:
    """The bill of one run, by the prices of its session."""
    settings = run.session.settings
    return of_runs((run,), settings.prices, settings.currency)


def frozen(runs: Iterable[Run], page: int) -> Iterator[Run]:
    """Each as it is now; a store and a cluster far away are asked about several at once.

    No more than a page of so many is looked at ahead.
    """
    from concurrent.futures import ThreadPoolExecutor
    from itertools import islice

    waiting = iter(runs)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(waiting, page)):
            yield from pool.map(lambda run: run.freeze(), some)


def document(bill: Bill) -> dict[str, Any]:
    """The machine's form."""
    return {
        "classes": [_document(bill, used) for used in bill.classes],
        "gpu_hours": bill.gpu_hours,
        "cost": bill.total,
        "currency": bill.currency,
        "unpriced": bill.unpriced,
        "unknown_attempts": bill.unknown,
    }


def rows(bill: Bill) -> list[list[str]]:
    """A line below `HEADER` for each class, and one for all where there are several."""
    lines = [_row(bill, used) for used in bill.classes]
    if len(lines) > 1:
        indexes = str(sum(used.indexes for used in bill.classes))
        blank = [""] * len(Phases.__struct_fields__)
        lines.append(["all", indexes, *blank, _hours(bill.gpu_hours), "", _money(bill.total, bill)])
    return lines


def sentences(bill: Bill) -> list[str]:
    """A line for each class of GPU: "h100: 3.21 GPU-hours, 71% busy, 7.99 USD"."""
    lines = []
    for used in bill.classes:
        if used.gpu == CPU:
            continue
        busy = f"{used.busy_share:.0%} busy" if used.busy_share is not None else ""
        cost = bill.cost(used)
        price = _money(cost, bill) if cost is not None and bill.prices else ""
        parts = [f"{_hours(used.gpu_hours)} GPU-hours", busy, price]
        lines.append(f"{used.gpu}: {', '.join(filter(None, parts))}")
    return lines


def remarks(bill: Bill) -> list[str]:
    """What the figures leave out."""
    lines = []
    if bill.unpriced:
        names = ", ".join(bill.unpriced)
        lines.append(f"no price for {names}: set it in [tool.sendoff.prices], per GPU and hour")
    if bill.unknown:
        lines.append(f"{bill.unknown} earlier attempts left no word of their time; not counted")
    return lines


def phases(seconds: Phases) -> str:
    """The known ones in words: "queued 2.0 s, pulling 12.1 s, …"."""
    known = ((name, getattr(seconds, name)) for name in Phases.__struct_fields__)
    return ", ".join(f"{name} {show_duration(each)}" for name, each in known if each is not None)


def _of_run(run: Run) -> Iterator[Held | None]:
    """What its attempts held; None for one that nobody knows of."""
    import time

    indexes, runs = run.status.indexes, run.session.runs()
    return attempts.held(run.record, indexes, runs, time.time())


def _document(bill: Bill, used: ClassUsage) -> dict[str, Any]:
    return {
        "gpu": used.gpu,
        "indexes": used.indexes,
        "seconds": msgspec.to_builtins(used.phases),
        "gpu_hours": used.gpu_hours,
        "busy": used.busy_share,
        "price": bill.price(used.gpu),
        "cost": bill.cost(used),
    }


def _row(bill: Bill, used: ClassUsage) -> list[str]:
    seconds = (getattr(used.phases, name) for name in Phases.__struct_fields__)
    busy = used.busy_share
    return [
        used.gpu,
        str(used.indexes),
        *("-" if each is None else show_duration(each) for each in seconds),
        _hours(used.gpu_hours) if used.gpu != CPU else "-",
        "-" if busy is None else f"{busy:.0%}",
        _money(bill.cost(used), bill) if used.gpu != CPU else "-",
    ]


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours >= _SHORT else f"{hours:.4f}"


def _money(amount: float | None, bill: Bill) -> str:
    return "-" if amount is None else f"{_hours(amount)} {bill.currency}".rstrip()
