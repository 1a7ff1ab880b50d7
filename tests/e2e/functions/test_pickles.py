"""Pickles of others are only unpickled by whoever asks for the value: no command does."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.e2e.functions.conftest import Workbench
from tests.e2e.mcp.agents import PATIENCE, Agent, over_stdio

# Whoever unpickles one makes the file.
TRAPS = """
import sendoff

class Trap:
    def __init__(self, path): self.path = path
    def __reduce__(self): return exec, (f"open({self.path!r}, 'w').close()",)

class Sprung(Exception):
    def __init__(self, path): self.path = path
    def __reduce__(self): return exec, (f"open({self.path!r}, 'w').close()",)

@sendoff.remote
def trap(path, raises=False):
    if raises: raise Sprung(path)
    return Trap(path)
"""
SEND = """
import sendoff, traps
run = traps.trap.spawn({path!r}, raises={raises})
assert run.wait().state == ("failed" if {raises} else "succeeded"), run.state
print(run.id)
"""
ASK = """
import sendoff
try: sendoff.get({run!r}).value()
except sendoff.SendoffError: pass
"""


@pytest.mark.parametrize(("raises", "name"), [(False, "result.pkl"), (True, "error.pkl")])
def test_no_command_or_tool_unpickles_what_a_function_left(
    bench: Workbench, tmp_path: Path, *, raises: bool, name: str
) -> None:
    sprung = tmp_path / "sprung"
    bench.write("traps.py", TRAPS)
    run = bench.program(SEND.format(path=str(sprung), raises=raises)).split()[-1]
    if raises:
        # An exception is tried out where it was raised, by the function's own process.
        sprung.unlink()
    assert not sprung.exists()
    told = [bench.done(*words) for words in asked(run, name)]
    assert name in told[0]
    assert name in told[1]
    anyio.run(look, bench, run, name)
    assert not sprung.exists()
    bench.program(ASK.format(run=run))
    assert sprung.exists()


def asked(run: str, name: str) -> list[tuple[str, ...]]:
    """What looks at a run, by the command line."""
    return [
        ("show", run),
        ("results", run),
        ("show", "--json", run),
        ("results", "--json", run),
        ("ps",),
        ("ps", "--json"),
        ("logs", run),
        ("compare", run),
        ("cost", run),
        ("diff", run, run),
        ("get", run, name, "-o", "got"),
    ]


async def look(bench: Workbench, run: str, name: str) -> None:
    """The same by an agent, of a server of its own in the project."""
    async with over_stdio(bench.project, bench.env) as agent:
        with anyio.fail_after(PATIENCE):
            await _look(agent, run, name)


async def _look(agent: Agent, run: str, name: str) -> None:
    assert run in [each["run"] for each in (await agent("runs"))["runs"]]
    (index,) = (await agent("run", run=run))["indexes"]
    assert name in index["files"]
    listed = await agent("results", run=run)
    assert name in [file["path"] for file in listed["files"]]
    await agent("results", run=run, into="fetched", paths=["*.pkl"])
    (row,) = (await agent("compare", runs=[run]))["rows"]
    assert row["run"] == run
    await agent("logs", run=run)
    await agent("wait", runs=[run])
