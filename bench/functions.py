"""Functions on the `local` target: what a call adds, and how many inputs a map gets through.

The other side starts an interpreter for each input, two at a time, which imports the same module,
calls the same function, and writes what it returns as JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import sandbox
from bench.measure import Row, alone, limit, paired, times

INPUTS, WORKERS = 1000, 2
MODULE = "def square(n):\n    return {'n': n, 'square': n * n}\n"
ONE = "import json, sys, work; json.dump(work.square({0}), open(sys.argv[1] + '/{0}.json', 'w'))"


def rows(folder: Path) -> list[Row]:
    project = folder / "project"
    project.mkdir()
    (project / "work.py").write_text(MODULE)
    python = str(sandbox.venv("science", sandbox.SCIENCE) / "bin" / "python")
    homes = {f"XDG_{name}_HOME": str(folder / name) for name in ("CACHE", "DATA", "STATE")}
    os.environ.update(homes, SENDOFF_PYTHON=python)
    os.chdir(project)
    sys.path.insert(0, str(project))
    import work  # type: ignore[import-not-found]

    import sendoff

    square = sendoff.remote(work.square).options(max_parallel=WORKERS)
    results = folder / "results"
    results.mkdir()

    def mapped() -> None:
        found = list(square.map(range(INPUTS)))
        assert found[-1] == work.square(INPUTS - 1)

    def one(number: int) -> None:
        subprocess.run([python, "-c", ONE.format(number), str(results)], check=True)

    def processes() -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(one, range(INPUTS)))

    called = alone(lambda: square.remote(3))
    ours, peer = paired((None, mapped), (None, processes), runs=3)
    return [
        limit("a call of a function on a warm `local` adds", called, 0.150),
        times(f"map over {INPUTS:,} inputs on `local`", ours, peer, "a process each", 3),
    ]
