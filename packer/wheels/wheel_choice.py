"""One wheel of each name: that which suits a target best."""

from __future__ import annotations

from collections.abc import Iterable

from packer.environment.lock import WheelPin
from packer.errors import WheelUnavailable


def by_tags(pins: Iterable[WheelPin], tags: tuple[str, ...]) -> tuple[WheelPin, ...]:
    """Of each name the wheel with the best tag, sorted by name.

    Raises:
        WheelUnavailable: none of a name's wheels runs there.
    """
    from packaging.utils import parse_wheel_filename

    rank = {tag: number for number, tag in enumerate(tags)}
    best: dict[str, tuple[int, WheelPin]] = {}
    names = set()
    for pin in pins:
        names.add(pin.name)
        fitting = [
            rank[str(tag)] for tag in parse_wheel_filename(pin.filename)[3] if str(tag) in rank
        ]
        if fitting and (pin.name not in best or min(fitting) < best[pin.name][0]):
            best[pin.name] = min(fitting), pin
    for name in sorted(names - best.keys()):
        raise WheelUnavailable(name, "the index", f"no wheel of it has the tag {tags[0]}")
    return tuple(best[name][1] for name in sorted(best))
