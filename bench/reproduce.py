"""What `sendoff reproduce` of a digest that is cached adds to its command on `local`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench import sandbox
from bench.measure import Row, Timing, command, limit, paired


def rows(folder: Path) -> list[Row]:
    python = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "project", 200, 4500)
    env = sandbox.environment(folder, python)
    bare = ["python", "-c", "print(1)"]
    first = subprocess.run(
        [sandbox.SENDOFF, "run", "--json", "--", *bare],
        cwd=project,
        env=env,
        capture_output=True,
        check=True,
    )
    digest = json.loads(first.stdout)["digest"]

    def work(extra: dict[str, str]) -> Callable[[], object]:
        # What it is compared with is the newest run: both print the same.
        again = [sandbox.SENDOFF, "reproduce", "--quiet", digest]
        return command(again, env={**env, **extra}, cwd=project)

    with sandbox.warm(folder / "warm", work) as extra:
        ours, plain = paired((None, work(extra)), (None, command(bare, env=env, cwd=project)))
    added = Timing(tuple(a - b for a, b in zip(ours.seconds, plain.seconds, strict=True)))
    return [limit("`reproduce` of a cached digest on `local` adds", added, 0.300)]
