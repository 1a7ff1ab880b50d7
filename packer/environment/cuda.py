"""CUDA lines ("12.8"): what an environment was built for, and what one is wanted for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packer.environment.environment_report import Arrival
from packer.record import Record

LINES = ("13.2", "13.0", "12.9", "12.8", "12.6", "12.4", "12.1", "11.8")
"""The lines that PyTorch has builds for, the newest first; no version has builds for all."""

TORCH_INDEX = "https://download.pytorch.org/whl"
"""Has an index for each line (`<index>/cu128`) and one without CUDA (`<index>/cpu`)."""

RUNTIME = "nvidia-cuda-runtime"
_RUNTIME = re.compile(rf"{RUNTIME}(-cu\d+)?")
"""NVIDIA's own runtime; from CUDA 13 on without the major version in its name."""
_BUILD = re.compile(r"\+cu(\d+)(\d)")
"""A local version of PyTorch's index: "2.5.1+cu124"."""

_MAJOR = re.compile(r"-cuda(\d+)x?(-|$)")
"""The major alone: "cupy-cuda11x", "jax-cuda12-plugin"."""
_LAST = {"11": "11.8"}
"""The last line of each major that will have no other: whatever runs it runs those before."""


class CudaWish(Record, frozen=True):
    """For which CUDA an environment is wanted."""

    lines: tuple[str, ...] = ()
    """Those that will do, the best first; none for an environment without CUDA."""
    asked: bool = False
    """Whether a person named the line: builds for another one are replaced."""
    index: str = TORCH_INDEX


def version(arrivals: Iterable[Arrival]) -> str:
    """The newest that something in it needs: "12.4", or "13" where no more is known; else empty."""
    return newest(line for _, line in needs(arrivals))


def needs(arrivals: Iterable[Arrival]) -> list[tuple[str, str]]:
    """What was built for which line: pairs of "torch 2.5.1+cu124" and "12.4".

    The line is a major alone, "13", where nothing tells more.
    """
    return [
        (f"{arrival.name} {arrival.version}", line)
        for arrival in arrivals
        if arrival.how != "left out"
        and (line := of(arrival.name, arrival.version) or _major_of(arrival.name))
    ]


def of(name: str, version: str) -> str:
    """The line that a distribution is of by its name and version; empty where they don't tell."""
    if _RUNTIME.fullmatch(name):
        parts = version.split(".")
        if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit():
            return f"{parts[0]}.{parts[1]}"
    elif build := _BUILD.search(version):
        return f"{build[1]}.{build[2]}"
    elif major := _MAJOR.search(name):
        return _LAST.get(major[1], "")
    return ""


def _major_of(name: str) -> str:
    found = _MAJOR.search(name)
    return found[1] if found else ""


def newest(lines: Iterable[str]) -> str:
    """The newest of `lines`; empty where all are, or there is none."""
    return max(filter(None, lines), key=numbers, default="")


def backend(line: str) -> str:
    """What PyTorch calls its builds for a line: "cu128", and "cpu" for none."""
    return "cu" + line.replace(".", "") if line else "cpu"


def major(line: str) -> str:
    """The major version of a line: "12"."""
    return line.partition(".")[0]


def numbers(line: str) -> tuple[int, ...]:
    """A line as it compares: (12, 8)."""
    return tuple(map(int, line.split(".")))
