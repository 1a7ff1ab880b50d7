"""What an agent waits for: the answer to `submit`, and until that run is sent off."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench import sandbox
from bench.measure import RUNS, Row, Timing, limit

_WARMUP = 2


def rows(folder: Path) -> list[Row]:
    python = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "project", 200, 4500)
    env = sandbox.environment(folder, python)
    asked = anyio.run(_submissions, project, env)
    answered, sent = (Timing(tuple(part)) for part in zip(*asked, strict=True))
    assert statistics.median(answered.seconds) <= statistics.median(sent.seconds)
    return [
        limit("MCP `submit` of an unchanged project", answered, 0.300),
        limit("the same until the run is packed and sent off, in the background", sent, 0.300),
    ]


async def _submissions(project: Path, env: dict[str, str]) -> list[tuple[float, float]]:
    server = StdioServerParameters(command=sandbox.SENDOFF, args=["mcp"], env=env, cwd=project)
    taken = []
    with (project.parent / "server.log").open("w") as log:
        async with Client(stdio_client(server, errlog=log)) as client:
            for turn in range(_WARMUP + RUNS):
                start = time.perf_counter()
                done = await client.call_tool("submit", {"command": "true", "timeout": "1m"})
                answered = time.perf_counter() - start
                run: Any = done.structured_content
                await _exists(
                    Path(env["XDG_DATA_HOME"], f"sendoff/store/runs/{run['run']}/run.json")
                )
                sent = time.perf_counter() - start
                await client.call_tool("wait", {"runs": [run["run"]]})
                if turn >= _WARMUP:
                    taken.append((answered, sent))
    return taken


async def _exists(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110, ASYNC240 (another process makes it)
        await anyio.sleep(0.001)
