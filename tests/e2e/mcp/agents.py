"""Agents as the SDK makes them: its own client, over both transports, and a scripted mind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.desk import PATIENCE, SENDOFF

TOKEN = "a-token-of-these-tests"
LARGEST = 64_000
"""Letters of an answer; a bound on all of them."""


class Refused(Exception):
    """A tool's call came to nothing; what it said is `problem`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(json.dumps(problem))
        self.problem = problem


class Agent:
    """Calls tools, and believes nothing that is not in the structured answer."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers.

        Raises:
            Refused
        """
        done = await self.client.call_tool(tool, arguments)
        (said,) = done.content
        assert json.loads(said.text) == done.structured_content
        assert len(said.text) < LARGEST
        assert isinstance(done.structured_content, dict)
        # Whatever it was, there is a call that makes sense now.
        assert done.structured_content["next"], done.structured_content
        if done.is_error:
            raise Refused(done.structured_content)
        return done.structured_content

    async def ended(self, *runs: str) -> dict[str, Any]:
        """The last answer of `wait`, called as its answers say."""
        arguments: dict[str, Any] = {"runs": list(runs)}
        while True:
            found = await self("wait", **arguments)
            if found["ended"]:
                return found
            (step, *_) = found["next"]
            assert step["tool"] == "wait"
            arguments = step["arguments"]

    async def takes_half_a_gpu_hour(self, **gated: Any) -> str:
        """A run on two GPUs of a group whose budget is one GPU-hour, which has no room for two."""
        group = {name: value for name, value in gated.items() if name == "group"}
        checked = await self("check", timeout="15m", gpu=gated["gpu"], **group)
        assert checked["budget"]["gpu_hours_left"] == 1
        assert checked["asks_gpu_hours"] == 0.5
        run: str = (await self("submit", timeout="15m", **gated))["run"]
        problem = await self.refusal("submit", timeout="16m", **gated)
        assert (problem["code"], problem["blame"]) == ("BUDGET_GPU_HOURS", "capacity")
        assert not problem["retryable"]
        assert "0.5333" in problem["message"]
        return run

    async def refusal(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Why a tool refuses."""
        try:
            answer = await self(tool, **arguments)
        except Refused as refused:
            return refused.problem
        raise AssertionError(answer)


@asynccontextmanager
async def over_stdio(
    project: Path, env: Mapping[str, str], *, mode: str = "auto"
) -> AsyncIterator[Agent]:
    """An agent that starts a server of its own, whose words go to a file in its home."""
    server = StdioServerParameters(command=SENDOFF, args=["mcp"], env=dict(env), cwd=project)
    home = Path(env["HOME"])
    with (home / "server.log").open("a") as log:
        async with Client(stdio_client(server, errlog=log), mode=mode) as client:
            yield Agent(client)


@asynccontextmanager
async def over_http(url: str, token: str = TOKEN, *, mode: str = "auto") -> AsyncIterator[Agent]:
    """An agent that was told where a server is, and a token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield Agent(client)


@asynccontextmanager
async def connected(
    transport: str, project: Path, env: Mapping[str, str], *, mode: str = "auto"
) -> AsyncIterator[Agent]:
    """An agent at a server of its own, by "stdio" or by "http"."""
    if transport == "stdio":
        async with over_stdio(project, env, mode=mode) as agent:
            yield agent
        return
    with served(project, env) as url:
        async with over_http(url, mode=mode) as agent:
            yield agent


@contextmanager
def served(
    project: Path, env: Mapping[str, str], *options: str, token: str = TOKEN
) -> Iterator[str]:
    """The URL of a server for HTTP, for as long as it is needed."""
    server = subprocess.Popen(
        [SENDOFF, "mcp", "--http", "--port", "0", *options],
        cwd=project,
        env={**env, "SENDOFF_MCP_TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    with server.stdout:
        url = server.stdout.readline().strip()
        try:
            assert url.startswith("http://127.0.0.1:"), url
            yield url
        finally:
            server.terminate()
            assert server.wait(PATIENCE) in (0, -15)


async def research(agent: Agent, screen: str, validate: str, **wishes: Any) -> dict[str, Any]:
    """A wave of five, the best of it by its metric, and that once more on another class."""
    checked = await agent("check", gpu=screen, timeout="2m", count=5, **wishes)
    assert checked["ok"], checked["findings"]
    wave = await agent(
        "submit_many",
        command="python train.py --lr {lr}",
        parameters={"lr": [0.5, 0.4, 0.3, 0.2, 0.1]},
        gpu=screen,
        timeout="2m",
        name="wave",
        **wishes,
    )
    assert wave["state"] == "queued"
    assert wave["indexes"] == 5
    ended = await agent.ended(wave["run"])
    assert ended["runs"][0]["counts"] == {"succeeded": 5}, ended
    table = await agent("compare", runs=[wave["run"]], metrics=["loss"], best="min")
    assert [row["parameters"]["lr"] for row in table["rows"]] == ["0.5", "0.4", "0.3", "0.2", "0.1"]
    best = await agent("run", run=table["best"])
    (index,) = best["indexes"]
    again = await agent(
        "submit", command=index["command"], gpu=validate, timeout="2m", name="validation", **wishes
    )
    await agent.ended(again["run"])
    both = await agent("compare", runs=[table["best"], again["run"]], metrics=["loss"])
    first, second = both["rows"]
    assert first["metrics"]["loss"] == second["metrics"]["loss"]
    return {"wave": wave["run"], "best": table["best"], "again": again["run"], "index": index}
