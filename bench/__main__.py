"""`make bench`: every figure of the README's table, measured here and now.

    python -m bench              all groups
    python -m bench start code   only these groups

The table goes to standard output and, after a full run, to bench/RESULTS.md.
"""

from __future__ import annotations

import importlib
import platform
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Row

GROUPS = {
    "start": "bench.start",
    "code": "bench.code_change",
    "push": "bench.push",
    "environment": "bench.environment",
    "builders": "bench.environment_builders",
    "layers": "bench.wheel_layers",
    "torch": "bench.torch_environment",
    "run": "bench.local_run",
    "reproduce": "bench.reproduce",
    "imports": "bench.import_time",
    "results": "bench.results",
    "functions": "bench.functions",
    "cluster": "bench.submit",
    "bases": "bench.bases",
    "agents": "bench.mcp",
}
RESULTS = Path(__file__).parent / "RESULTS.md"


def _mark(row: Row) -> str:
    if not row.goal:
        return ""
    return "✓" if row.met else "✗"


def machine() -> str:
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    cores = len(__import__("os").sched_getaffinity(0))
    return f"{cpu}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


def render(rows: list[Row]) -> str:
    lines = ["| what | sendoff | the other tool | goal | |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row.what} | {row.figure} | {row.peer} | {row.goal} | {_mark(row)} |" for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    chosen = sys.argv[1:] or list(GROUPS)
    rows: list[Row] = []
    for name in chosen:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="sendoff-bench-") as folder:
            rows += importlib.import_module(GROUPS[name]).rows(Path(folder))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    text = f"Measured on: {machine()}.\nMedians over interleaved runs.\n\n{render(rows)}\n"
    print(text, end="")
    if len(chosen) == len(GROUPS):
        RESULTS.write_text(text)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
