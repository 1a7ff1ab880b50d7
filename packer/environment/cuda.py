"""The CUDA version that an environment was built for, by what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packer.environment.environment_report import Arrival

_RUNTIME = re.compile(r"nvidia-cuda-runtime(-cu\d+)?")
"""NVIDIA's own runtime; from CUDA 13 on without the major version in its name."""
_BUILD = re.compile(r"\+cu(\d+)(\d)")
"""A local version of PyTorch's index: "2.5.1+cu124"."""


def version(arrivals: Iterable[Arrival]) -> str:
    """The newest that something in it needs, such as "12.4"; empty where nothing needs any."""
    found = [each for arrival in arrivals if arrival.how != "left out" for each in _of(arrival)]
    return ".".join(map(str, max(found, default=())))


def _of(arrival: Arrival) -> Iterable[tuple[int, int]]:
    if _RUNTIME.fullmatch(arrival.name):
        parts = arrival.version.split(".")
        if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit():
            yield int(parts[0]), int(parts[1])
    elif build := _BUILD.search(arrival.version):
        yield int(build[1]), int(build[2])
