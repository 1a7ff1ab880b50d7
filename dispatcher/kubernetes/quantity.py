"""Quantities as the Kubernetes API writes them: "500m", "16Gi", "1e3"."""

from __future__ import annotations

import re

_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|[MGTPE]|[KMGTPE]i)?")
_UNITS: dict[str | None, float] = {
    None: 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    **{unit: 10.0 ** (3.0 * power) for power, unit in enumerate("MGTPE", 2)},
    **{f"{unit}i": 2.0 ** (10.0 * power) for power, unit in enumerate("KMGTPE", 1)},
}


def parse(text: str) -> float:
    """The number that a quantity stands for: cores, bytes, or a count.

    Raises:
        ValueError: it is none (apimachinery, resource.Quantity).
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"not a quantity: {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def cores(number: float) -> str:
    """Cores as a quantity, in thousandths where they are not whole: "2", "500m"."""
    thousandths = round(number * 1000)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def size(number: int) -> str:
    """Bytes as a quantity, in the largest unit that says them exactly: "16Gi", "1500"."""
    for unit, factor in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return str(number)
