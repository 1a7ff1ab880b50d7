"""Clients that go in the middle of a call: processes that are killed, and pipes that close."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.desk import PATIENCE, SENDOFF, GatedDesk, until
from tests.e2e.mcp.agents import over_http, served
from tests.e2e.mcp.test_http import HELLO

ROOT = Path(__file__).parents[3]
ENDED = {"succeeded", "failed", "cancelled", "timed-out", "lost"}
WAITER = """\
import sys
import anyio
from tests.e2e.mcp.agents import over_http

async def wait(url, run):
    async with over_http(url) as agent, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: agent("wait", runs=[run], seconds=45))
        await anyio.sleep(0.5)
        # What was asked before this was answered is with the server.
        await agent("runs")
        print("waits", flush=True)

anyio.run(wait, *sys.argv[1:])
"""
SUBMIT = {"command": "python train.py --lr 0.3", "timeout": "1m"}
SUBMITTER = """\
import json, os, sys
from pathlib import Path
import anyio
from tests.e2e.mcp.agents import over_stdio

async def submit(project, wishes):
    async with over_stdio(Path(project), os.environ) as agent:
        print("submits", flush=True)
        await agent("submit", **json.loads(wishes))
        await anyio.sleep_forever()

anyio.run(submit, *sys.argv[1:])
"""


def client(place: GatedDesk, program: str, *arguments: str) -> subprocess.Popen[str]:
    """A client in a process of its own, once it has said its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=place.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline()
    return process


def processes(place: GatedDesk, word: bytes = b"") -> list[int]:
    """All processes of a place whose command has such a word."""
    home, found = f"HOME={place.home}\0".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = ((folder / name).read_bytes() for name in ("environ", "cmdline"))
        except OSError:
            continue
        if home in environ and word in command:
            found.append(int(folder.name))
    return found


def connections(port: int) -> int:
    """How many connections a server holds at its port, whether or not the other end is there."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    held = ("01", "08")
    return sum(each[1].endswith(f":{port:04X}") and each[3] in held for each in lines)


def test_a_client_that_is_killed_leaves_the_server_to_others(place: GatedDesk) -> None:
    run = place.sent("run", "--", "python", "gated.py")

    async def other(url: str) -> None:
        async with over_http(url) as agent:
            assert (await agent("wait", runs=[run], seconds=0))["ended"] is False
            place.gate.touch()
            assert (await agent.ended(run))["runs"][0]["state"] == "succeeded"

    with served(place.project, place.env) as url:
        port = int(url.split(":")[2].partition("/")[0])
        waits = client(place, WAITER, url, run)
        assert waits.poll() is None
        assert connections(port) > 0
        waits.kill()
        assert waits.wait(PATIENCE) == -signal.SIGKILL
        # The call of who is gone goes too.
        until(lambda: connections(port) == 0)
        anyio.run(other, url)
    assert processes(place) == []


def killed(place: GatedDesk, moment: Callable[[], Any]) -> None:
    """A client that starts a server, calls `submit` and is killed."""
    submits = client(place, SUBMITTER, str(place.project), json.dumps(SUBMIT))
    moment()
    submits.kill()
    submits.wait(PATIENCE)


def killed_with_its_server(place: GatedDesk, moment: Callable[[], Any]) -> None:
    """The same where both are killed, as when a container ends."""
    submits = client(place, SUBMITTER, str(place.project), json.dumps(SUBMIT))
    moment()
    for pid in processes(place, b"sendoff\0mcp"):
        os.kill(pid, signal.SIGKILL)
    submits.kill()
    submits.wait(PATIENCE)


def closed(place: GatedDesk, moment: Callable[[], Any]) -> None:
    """A client that says nothing more after `submit`, and closes its end."""
    call = {"name": "submit", "arguments": SUBMIT}
    with subprocess.Popen(
        [SENDOFF, "mcp"],
        cwd=place.project,
        env=place.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        print(json.dumps(HELLO), file=server.stdin, flush=True)
        assert server.stdout.readline()
        for message in (
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
        ):
            print(json.dumps(message), file=server.stdin, flush=True)
        moment()
        server.stdin.close()
        assert server.wait(PATIENCE) == 0


@pytest.mark.parametrize("leave", [killed, killed_with_its_server, closed])
@pytest.mark.parametrize("ordered", [False, True], ids=["called", "ordered"])
def test_nothing_stays_of_a_client_that_goes_while_it_submits(
    place: GatedDesk, leave: Callable[[GatedDesk, Callable[[], Any]], None], ordered: bool
) -> None:
    """Just after its call, or when the order is in the store: a run ends, or there is none."""
    orders = place.home / ".local/share/sendoff/store/runs"

    def moment() -> None:
        # Time for the call to be with the server, and too little for an answer by a fresh one.
        time.sleep(0 if ordered else 0.1)
        deadline = time.monotonic() + PATIENCE
        while ordered and not list(orders.glob("*/order.json")):
            assert time.monotonic() < deadline, "nothing was ordered"

    leave(place, moment)
    until(lambda: processes(place) == [])
    runs = place.json("ps")
    assert len(runs) <= 1
    assert {run["state"] for run in runs} <= ENDED
    assert runs or not ordered
    # The project is none the worse for it.
    assert "loss" in place.done("run", "--", *SUBMIT["command"].split())
