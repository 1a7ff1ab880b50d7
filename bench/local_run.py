"""What `sendoff run` adds to a command on the `local` target when everything is cached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench import sandbox
from bench.measure import Row, Timing, command, limit, paired


def rows(folder: Path) -> list[Row]:
    python = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "project", 200, 4500)
    env = sandbox.environment(folder, python)
    bare = ["python", "-c", "pass"]

    def work(extra: dict[str, str]) -> Callable[[], object]:
        started = [sandbox.SENDOFF, "run", "--", *bare]
        return command(started, env={**env, **extra}, cwd=project)

    with sandbox.warm(folder / "warm", work) as extra:
        ours, plain = paired((None, work(extra)), (None, command(bare, env=env, cwd=project)))
    added = Timing(tuple(a - b for a, b in zip(ours.seconds, plain.seconds, strict=True)))
    return [limit("`sendoff run` on `local` adds to the command's own time", added, 0.300)]
