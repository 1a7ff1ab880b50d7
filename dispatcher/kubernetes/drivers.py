"""GPU drivers: what a node has, and what a CUDA version needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Version = tuple[int, ...]

MAJOR = "nvidia.com/cuda.driver-version.major"
_FULL = "nvidia.com/cuda.driver-version.full"
_OLD = "nvidia.com/cuda.driver"
"""Prefix of the labels before GPU Feature Discovery 0.15."""

# CUDA Toolkit release notes, "CUDA Toolkit and Minimum Required Driver Version": any driver of the
# same major version will do (minor version compatibility).
_NEEDED: dict[int, Version] = {13: (580,), 12: (525, 60, 13), 11: (450, 80, 2), 10: (410, 48)}


def parse(text: str) -> Version:
    """The parts of "535.104.05".

    Raises:
        ValueError
    """
    return tuple(int(part) for part in text.split("."))


def show(version: Version) -> str:
    """As NVIDIA writes it: 535.104.05."""
    return ".".join(f"{part:02}" if place > 1 else str(part) for place, part in enumerate(version))


def of_node(labels: Mapping[str, str]) -> Version | None:
    """What GPU Feature Discovery says of a node's driver; None where it says nothing."""
    if labels.get(_FULL):
        return _parsed(labels[_FULL])
    for prefix in (_FULL.removesuffix(".full"), _OLD):
        major = labels.get(f"{prefix}.major", "")
        if major:
            rest = (labels.get(f"{prefix}.minor", ""), _last(labels, prefix))
            return _parsed(".".join(filter(None, (major, *rest))))
    return None


def major_label(labels: Mapping[str, str]) -> str:
    """The label that holds a node's major version."""
    return MAJOR if MAJOR in labels else f"{_OLD}.major"


def for_cuda(cuda: str) -> Version:
    """The oldest driver that runs programs built for a CUDA version, "12.4" or "12"; () for any."""
    return _NEEDED.get(parse(cuda)[0], ())


def needed(cuda: str, driver: str = "") -> Version:
    """The oldest driver for images that are for a CUDA version, on a base that wants `driver`.

    Either may be empty; () for any driver.
    """
    return max(for_cuda(cuda) if cuda else (), parse(driver) if driver else ())


def _last(labels: Mapping[str, str], prefix: str) -> str:
    return labels.get(f"{prefix}.revision", "") or labels.get(f"{prefix}.rev", "")


def _parsed(text: str) -> Version | None:
    try:
        return parse(text)
    except ValueError:
        return None
