"""How long the front door takes to open."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.measure import Row, Timing, alone, command, limit


def rows(_: Path) -> list[Row]:
    script = str(Path(sys.executable).with_name("sendoff"))
    bare = alone(command([sys.executable, "-c", "pass"]))
    helped = alone(command([script, "--help"]))
    imported = alone(command([sys.executable, "-c", "import sendoff"]))
    net = Timing(tuple(t - bare.median for t in imported.seconds))
    return [
        limit("`sendoff --help`, whole process", helped, 0.150),
        limit("`import sendoff`, whole process", imported, 0.060),
        limit("`import sendoff`, less the bare interpreter", net, 0.060),
    ]
