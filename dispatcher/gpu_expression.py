"""What is asked for with `--gpu`: classes in order of preference, each with a count. Pure."""

from __future__ import annotations

import re

from dispatcher.errors import GpuExpressionInvalid
from packer.record import Record

CPU = "cpu"
_PART = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*(?::mig-[0-9]+g\.[0-9]+gb)?)(?::(?P<count>[0-9]{1,4}))?"
)


class Wanted(Record, frozen=True):
    """So many GPUs of one class."""

    name: str
    count: int = 1


def canonical(name: str) -> str:
    """The one spelling of a class's name: that of "RTX_4090" is "rtx-4090".

    A slice's, "a100:mig-1g.5gb", is "a100-mig-1g.5gb".
    """
    return re.sub(r"[ _:]", "-", name.lower())


def parse(text: str) -> tuple[Wanted, ...]:
    """The classes of "h100", "h100:2", "h100,a100-80gb", "a100:mig-1g.5gb", the best first.

    Their names are canonical. Empty for no GPU, which is also called "cpu".

    Raises:
        GpuExpressionInvalid
    """
    parts = [part.strip().lower() for part in text.split(",")]
    if parts in ([""], [CPU]):
        return ()
    wanted = tuple(_wanted(part, text) for part in parts)
    if CPU in (each.name for each in wanted):
        raise GpuExpressionInvalid(text, "cpu stands alone: a run has a GPU or has none")
    if len({each.name for each in wanted}) < len(wanted):
        raise GpuExpressionInvalid(text, "a class is named twice")
    return wanted


def _wanted(part: str, text: str) -> Wanted:
    found = _PART.fullmatch(part.replace("_", "-").replace(" ", "-"))
    if found is None:
        raise GpuExpressionInvalid(text, f"{part!r} is no class and count")
    count = int(found["count"] or 1)
    if not count:
        raise GpuExpressionInvalid(text, "the count must be 1 or more")
    return Wanted(name=canonical(found["name"]), count=count)
