"""The machine an attempt ran on."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The first processor's entry is enough; on a large machine the whole file takes long to make.
_CPUINFO = 4096

_known: dict[str, Any] = {}


def facts() -> dict[str, Any]:
    """Host name, operating system, CPU model and usable count, memory in bytes."""
    if _known:
        return {**_known}
    system = os.uname()
    _known.update(_look(system))
    return {**_known}


def _look(system: os.uname_result) -> dict[str, Any]:
    return {
        "host": system.nodename,
        "system": f"{system.sysname} {system.release}",
        "machine": system.machine,
        "python": sys.version.split()[0],
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cpus": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def _field(path: str, name: str) -> str:
    try:
        with open(path, "rb", buffering=0) as stream:
            text = stream.read(_CPUINFO).decode(errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return ""
