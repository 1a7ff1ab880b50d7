"""How the value of a setting is read from what a source holds.

Every function takes the value and the directory that relative paths are relative to, and raises
ValueError with words for a person.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatcher.request import IdleLimit
from dispatcher.targets import NAMES as TARGETS
from packer.building import image_settings
from packer.building.image_settings import ImageSettings
from sendoff.quantities import parse_duration, parse_size


def text(value: Any, _base: Path) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")  # noqa: TRY004 - a wrong value, as others
    return value


def target(value: Any, base: Path) -> str:
    """The name of a target."""
    if text(value, base) not in TARGETS:
        raise ValueError(f"there is no target {value!r}; there is {', '.join(TARGETS)}")
    return str(value)


def cuda(value: Any, base: Path) -> str:
    """A CUDA line, "none", or empty."""
    found = text(value, base)
    if found not in ("", "none") and not re.fullmatch(r"[0-9]{2}\.[0-9]", found):
        raise ValueError(f"{value!r} is no CUDA line; write it as 12.8, or none")
    return found


def path(value: Any, base: Path) -> Path:
    """An absolute path."""
    found = text(value, base)
    if not found:
        # It would be the directory that it is relative to, which nobody means by saying nothing.
        raise ValueError("it is empty, and no directory or file; . is the one here")
    try:
        expanded = Path(found).expanduser()
    except RuntimeError:
        raise ValueError(f"{value!r} is in the home of a user whom this machine has not") from None
    # Not resolved: a link on the way is the user's own choice of name.
    return Path(os.path.normpath(base / expanded))


def duration(value: Any, _base: Path) -> float:
    """Seconds."""
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and 0 <= value < float("inf")
    ):
        return float(value)
    return parse_duration(value if isinstance(value, str) else repr(value))


def size(value: Any, _base: Path) -> int:
    """Bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return parse_size(value if isinstance(value, str) else repr(value))


LEAST_MEMORY = 16 << 20
"""Bytes in which an interpreter starts: with less, a number is one whose unit was forgotten."""

LEAST_SCRATCH = 1 << 20
"""Bytes: as with memory. A pod that writes more than it may is evicted."""
LEAST_LIFETIME = 60.0
"""Seconds in which a pod may start."""


def memory(value: Any, base: Path) -> int:
    """Bytes that a command may use; 0 for no limit."""
    found = size(value, base)
    if 0 < found < LEAST_MEMORY:
        raise ValueError(f"no command starts in {found} bytes; with a unit: 16Gi, 500Mi")
    return found


def scratch(value: Any, base: Path) -> int:
    """Bytes that a pod may write."""
    found = size(value, base)
    if found < LEAST_SCRATCH:
        raise ValueError(f"no run is done with {found} bytes; with a unit: 50Gi, 500Mi")
    return found


def lifetime(value: Any, base: Path) -> float:
    """Seconds after which something is ended: never 0, as what nobody ends is never gone."""
    found = duration(value, base)
    if found < LEAST_LIFETIME:
        raise ValueError(f"{value!r} would end what has not begun; with a unit: 14d, 36h")
    return found


def count(value: Any, _base: Path) -> int:
    """A whole number of 0 or more."""
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise ValueError(f"{value!r} is not a whole number of 0 or more")
    return int(text)


def hours(value: Any, _base: Path) -> float:
    """Hours, 0 or more."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) else -1.0
    except ValueError:
        found = -1.0
    if isinstance(value, bool) or not 0 <= found < float("inf"):
        raise ValueError(f"{value!r} is not a number of hours")
    return found


def cores(value: Any, _base: Path) -> float:
    """A number of cores."""
    try:
        cores = float(value) if isinstance(value, (int, float, str)) else -1.0
    except ValueError:
        cores = -1.0
    if isinstance(value, bool) or not 0 <= cores < float("inf"):
        raise ValueError(f"{value!r} is not a number of cores")
    return cores


def texts(value: Any, _base: Path) -> tuple[str, ...]:
    """Texts: a list, or one text with commas."""
    if isinstance(value, str):
        return tuple(filter(None, (part.strip() for part in value.split(","))))
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts")


def secrets(value: Any, base: Path) -> tuple[str, ...]:
    """Names of environment variables. One that comes with its value is not repeated."""
    found = texts(value, base)
    if any("=" in name for name in found):
        raise ValueError(
            "a secret is given by its name alone, and its value by the environment: "
            "export NAME=…, and --secret NAME"
        )
    for name in found:
        _check_variable(name)
    return found


def variables(value: Any, base: Path) -> dict[str, str]:
    """Environment variables: a table, or "A=1,B=2"."""
    found = table(value, base)
    for name in found:
        _check_variable(name)
    return found


def _check_variable(name: str) -> None:
    # As clusters have them, which is more than shells can name.
    if not re.fullmatch(r"[-._A-Za-z][-._A-Za-z0-9]*", name):
        raise ValueError(f"{name!r} is no name of an environment variable")


def table(value: Any, base: Path) -> dict[str, str]:
    """Names and texts: a table, or "A=1,B=2"."""
    if isinstance(value, Mapping) and all(isinstance(part, str) for part in value.values()):
        return dict(value)
    if isinstance(value, str) and all("=" in part for part in texts(value, base)):
        return dict(part.split("=", 1) for part in texts(value, base))
    raise ValueError(f"{value!r} is not a table of texts")


def idle_limit(value: Any, base: Path) -> IdleLimit | None:
    """Share and time: "5%,10m"; None for no limit, which is "" or "off"."""
    found = text(value, base).strip()
    if found in ("", "off"):
        return None
    share, comma, time = found.partition(",")
    words = f'{value!r} is no limit; write it as "5%,10m": a share, and a time'
    try:
        limit = IdleLimit(
            share=float(share.strip().rstrip("%")) / 100, seconds=parse_duration(time)
        )
    except ValueError:
        raise ValueError(words) from None
    if not (comma and share.strip().endswith("%") and 0 < limit.share <= 1 and limit.seconds > 0):
        raise ValueError(words)
    return limit


def prices(value: Any, base: Path) -> dict[str, float]:
    """GPU classes and what an hour of one GPU costs: a table, or "h100=2.49,a40=0.4"."""
    from dispatcher.gpu_expression import canonical

    pairs = table(value, base) if isinstance(value, str) else value
    if not isinstance(pairs, Mapping):
        raise ValueError("it is not a table of GPU classes and prices: [tool.sendoff.prices]")  # noqa: TRY004
    return {canonical(name): _price(name, price) for name, price in pairs.items()}


def _price(name: str, price: Any) -> float:
    if name.lower() == "cpu":
        raise ValueError("only GPUs have prices; cpu is none")
    try:
        found = float(price) if not isinstance(price, bool) else -1.0
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ValueError(f"{price!r} is no price of an hour of {name}")
    return found


def switch(value: Any, _base: Path) -> bool:
    """Yes or no."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = words.get(str(value).lower())
    if found is None:
        raise ValueError(f"{value!r} is neither true nor false")
    return found


def builder(value: Any, base: Path) -> str:
    """Who builds what."""
    from packer.building import choice
    from packer.buildkit.errors import BuilderInvalid

    try:
        choice.parse(text(value, base))
    except BuilderInvalid as error:
        raise ValueError(f"{error.what()}: {error.reason}") from None
    return str(value)


def image(value: Any, _base: Path) -> ImageSettings:
    """Steps on the base image: a table, or that table as JSON."""
    if isinstance(value, str):
        import json

        value = json.loads(value or "{}")
    return image_settings.read(value)


def classes(value: Any, _base: Path) -> dict[str, dict[str, Any]]:
    """GPU classes of the site: a table for each name."""
    if isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values()):
        return {name: dict(each) for name, each in value.items()}
    raise ValueError("it is not a table of tables: [tool.sendoff.classes.NAME]")


def inputs(value: Any, base: Path) -> tuple[str, ...]:
    """Each as `SRC:DST`, the source an absolute path."""
    from dispatcher.inputs import split

    pairs = map(split, texts(value, base))
    return tuple(f"{path(source, base)}:{destination}" for source, destination in pairs)


def tolerations(value: Any, base: Path) -> tuple[str, ...]:
    """Taints as kubectl writes them."""
    found = texts(value, base)
    if found:
        from dispatcher.kubernetes.tolerations import parse

        for each in found:
            parse(each)
    return found


def secret_keys(value: Any, base: Path) -> dict[str, str]:
    """Names of secrets and where they are: "SECRET/KEY"."""
    found = table(value, base)
    for name, place in found.items():
        secret, _, key = place.partition("/")
        if not (secret and key) or "/" in key:
            raise ValueError(f"{place!r} is no place of {name}; write it as SECRET/KEY")
    return found
