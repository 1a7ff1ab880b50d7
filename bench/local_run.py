"""What `sendoff run` adds to a command on the `local` target when everything is cached."""

from __future__ import annotations

from pathlib import Path

from bench import sandbox
from bench.measure import Row, Timing, command, limit, paired


def rows(folder: Path) -> list[Row]:
    python = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "project", 200, 4500)
    env = sandbox.environment(folder, python)
    bare = ["python", "-c", "pass"]
    ours, plain = paired(
        (None, command([sandbox.SENDOFF, "run", "--", *bare], env=env, cwd=project)),
        (None, command(bare, env=env, cwd=project)),
    )
    added = Timing(tuple(a - b for a, b in zip(ours.seconds, plain.seconds, strict=True)))
    return [limit("`sendoff run` on `local` adds to the command's own time", added, 0.300)]
