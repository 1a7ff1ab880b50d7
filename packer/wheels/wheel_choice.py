"""One wheel of each name: that which suits a target best."""

from __future__ import annotations

from collections.abc import Iterable

from packer.environment.lock import WheelPin
from packer.wheels import wheel_tags
from packer.wheels.errors import WheelUnavailable


def by_tags(pins: Iterable[WheelPin], tags: tuple[str, ...]) -> tuple[WheelPin, ...]:
    """Of each name the wheel with the best tag, sorted by name.

    Raises:
        WheelUnavailable: none of a name's wheels runs there.
    """
    offered: dict[str, list[WheelPin]] = {}
    for pin in pins:
        offered.setdefault(pin.name, []).append(pin)
    chosen = []
    for name in sorted(offered):
        fitting = wheel_tags.ranked(offered[name], tags)
        if not fitting:
            raise WheelUnavailable(name, "the index", f"no wheel of it has the tag {tags[0]}")
        chosen.append(fitting[0])
    return tuple(chosen)
