"""What an agent does with the tools, by the SDK's own client over both transports."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests import nvml
from tests.e2e.desk import GatedDesk
from tests.e2e.mcp.agents import (
    PATIENCE,
    Agent,
    connected,
    over_http,
    over_stdio,
    research,
    served,
)


def attend(place: GatedDesk, script: Callable[[Agent], Any], **options: Any) -> Any:
    """What comes of a script that an agent follows, with a server of its own."""

    async def session() -> Any:
        async with over_stdio(place.project, place.env, **options) as agent:
            with anyio.fail_after(PATIENCE):
                return await script(agent)

    return anyio.run(session)


@pytest.mark.parametrize(("transport", "mode"), [("stdio", "auto"), ("http", "legacy")])
def test_a_wave_its_best_and_that_on_another_class(
    place: GatedDesk, transport: str, mode: str
) -> None:
    async def script() -> dict[str, Any]:
        async with connected(transport, place.project, place.env, mode=mode) as agent:
            return await research(agent, "h100", "a40")

    found = anyio.run(script)
    assert found["best"].endswith("/2")
    assert found["index"]["parameters"] == {"lr": "0.3"}
    assert found["index"]["files"] == ["metrics.json"]
    # The command line sees the same runs.
    shown = json.loads(place("show", found["again"], "--json").stdout)
    assert shown["state"] == "succeeded"
    assert shown["request"]["resources"]["gpu"] == "a40"


def test_what_a_run_printed_and_wrote(place: GatedDesk) -> None:
    place.write(
        "talk.py",
        "import pathlib\n"
        "print('first')\n"
        "print('10%\\r20%\\r100%')\n"
        "for number in range(3000): print(f'line {number}')\n"
        "print('x' * 50_000)\n"
        "pathlib.Path('notes.txt').write_text('word ' * 4000)\n"
        "pathlib.Path('weights.bin').write_bytes(bytes(range(256)))\n",
    )

    async def script(agent: Agent) -> None:
        run = (await agent("submit", command=["python", "talk.py"], timeout=60))["run"]
        await agent.ended(run)
        end = await agent("logs", run=run)
        assert len(end["text"]) <= 8000
        assert end["text"].splitlines()[-2] == "line 2999"
        assert "more letters" in end["text"].splitlines()[-1]
        # Going back as each answer says, one comes to the beginning.
        lines = end["text"].splitlines()
        found, arguments = end, {"run": run, "lines": 1000}
        while found["earlier"]:
            (step, *_) = found["next"]
            arguments = {**step["arguments"], "lines": 1000}
            found = await agent("logs", **arguments)
            lines = found["text"].splitlines() + lines
        assert lines[:3] == ["first", "100%", "line 0"]
        assert len(lines) == 3003

        listed = await agent("results", run=run)
        assert [file["path"] for file in listed["files"]] == ["notes.txt", "weights.bin"]
        part = await agent("results", run=run, read="notes.txt")
        text = part["content"]["text"]
        while part["content"]["more"]:
            (step, *_) = part["next"]
            part = await agent(step["tool"], **step["arguments"])
            text += part["content"]["text"]
        assert text == "word " * 4000
        fetched = await agent("results", run=run, into="out", paths=["*.bin"])
        assert fetched["fetched"] == [str(place.project / "out" / "weights.bin")]
        problem = await agent.refusal("results", run=run, read="nothing.txt")
        assert problem["code"] == "RESULT_UNKNOWN"

    attend(place, script)
    assert (place.project / "out" / "weights.bin").read_bytes() == bytes(range(256))


def test_a_wave_of_many_is_told_a_page_at_a_time(place: GatedDesk) -> None:
    async def script(agent: Agent) -> None:
        run = (
            await agent(
                "submit_many",
                commands=[
                    f"sh -c 'echo value: {number}; exit {number % 2}'" for number in range(60)
                ],
                timeout="1m",
            )
        )["run"]
        ended = await agent.ended(run)
        (going,) = ended["runs"]
        assert going["counts"] == {"succeeded": 30, "failed": 30}
        assert len(going["troubled"]) == 5
        assert going["troubled"][0]["failure"]["code"] == "EXIT_NONZERO"
        seen: list[str] = []
        step = {"tool": "compare", "arguments": {"runs": [run]}}
        while step:
            page = await agent(step["tool"], **step["arguments"])
            seen += [row["run"] for row in page["rows"]]
            step = next((each for each in page["next"] if each["tool"] == "compare"), None)
        assert seen == [f"{run}/{number}" for number in range(60)]
        told = await agent("run", run=run)
        assert (len(told["indexes"]), told["indexes_in_all"]) == (10, 60)
        failed = await agent("run", run=f"{run}/1")
        assert failed["indexes"][0]["exit_code"] == 1

    attend(place, script)


def test_submit_returns_before_anything_is_packed(place: GatedDesk) -> None:
    async def script(agent: Agent) -> str:
        began = time.monotonic()
        asked = {"command": "python gated.py", "timeout": "5m", "idle_limit": "5%,10m"}
        run: str = (await agent("submit", **asked))["run"]
        assert time.monotonic() - began < 2
        found = await agent("run", run=run)
        assert found["state"] in ("queued", "running")
        # With a cursor, waiting ends as soon as anything changes; without, when all has ended.
        found = await agent("wait", runs=[run], seconds=0)
        while found["runs"][0]["state"] == "queued":
            found = await agent("wait", runs=[run], cursor=found["cursor"])
        assert found["runs"][0]["state"] == "running"
        began = time.monotonic()
        again = await agent("wait", runs=[run], cursor=found["cursor"], seconds=0.3)
        assert not again["ended"]
        assert again["cursor"] == found["cursor"]
        assert 0.3 <= again["waited"] <= time.monotonic() - began
        place.gate.touch()
        assert (await agent.ended(run))["runs"][0]["state"] == "succeeded"
        return run

    run = attend(place, script)
    limit = place.json("show", run)["request"]["idle_limit"]
    assert limit == {"share": 0.05, "seconds": 600}


def test_what_can_not_be_packed_says_so_under_its_id(place: GatedDesk) -> None:
    (place.project / "away").symlink_to("/etc/hostname")

    async def script(agent: Agent) -> None:
        run = (await agent("submit", command="true", timeout="1m"))["run"]
        ended = await agent.ended(run)
        assert ended["runs"][0]["state"] == "failed"
        failure = ended["runs"][0]["troubled"][0]["failure"]
        assert (failure["code"], failure["blame"]) == ("SYMLINK_ESCAPE", "user")
        assert failure["fix"]
        told = await agent("run", run=run)
        assert told["state"] == "failed"
        assert told["indexes"][0]["failure"]["code"] == "SYMLINK_ESCAPE"
        assert told["environment"] is None
        (row,) = (await agent("runs"))["runs"]
        assert (row["run"], row["state"], row["code"]) == (run, "failed", "SYMLINK_ESCAPE")
        shown = json.loads(place("show", run, "--json").stdout)
        assert shown["indexes"][0]["failure"]["code"] == "SYMLINK_ESCAPE"
        assert place("wait", run).returncode == 1
        assert place("rerun", run).returncode == 125

    attend(place, script)


def test_a_run_outlives_the_client_that_vanishes(place: GatedDesk) -> None:
    """Killed in the middle of waiting, with its server, right after it was given an id."""

    async def script() -> str:
        async with over_stdio(place.project, place.env) as agent:
            run: str = (await agent("submit", command="python train.py --lr 0.3", timeout="1m"))[
                "run"
            ]
            with anyio.move_on_after(0.05):
                await agent("wait", runs=[run])
            (server,) = children()
            os.kill(server, signal.SIGKILL)
            return run

    run = anyio.run(script)
    assert place("wait", run).returncode == 0
    assert "loss" in place("logs", run).stdout


def children() -> list[int]:
    """Servers that this process has started."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in found if b"mcp" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_client_that_vanishes_leaves_the_server_to_others(place: GatedDesk) -> None:
    async def script(url: str) -> None:
        async with over_http(url) as first:
            run = (await first("submit", command="python gated.py", timeout="5m"))["run"]
            with anyio.move_on_after(0.2):
                await first("wait", runs=[run])
        async with over_http(url) as second:
            assert (await second("wait", runs=[run], seconds=0))["ended"] is False
            place.gate.touch()
            assert (await second.ended(run))["runs"][0]["state"] == "succeeded"

    with served(place.project, place.env) as url:
        anyio.run(script, url)


def packers(place: GatedDesk) -> list[int]:
    """Processes that pack for orders of a place."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"sendoff.background" in command and str(place.home).encode() in command:
            found.append(int(folder.name))
    return found


def slow(place: GatedDesk, then: str = "exit 1") -> None:
    """Let packing wait for the gate: `python` is a program that does so, and then `then`."""
    waits = place.home / "bin" / "python"
    waits.parent.mkdir()
    waits.write_text(f"#!/bin/sh\nwhile ! test -e {place.gate}; do sleep 0.05; done\n{then}\n")
    waits.chmod(0o755)
    place.env["SENDOFF_PYTHON"] = str(waits)


def test_packing_can_be_cancelled(place: GatedDesk) -> None:
    slow(place)

    async def script(agent: Agent) -> None:
        run = (await agent("submit", command="true", timeout="1m", name="slow"))["run"]
        going = (await agent("wait", runs=[run], seconds=0.5))["runs"][0]
        assert going["state"] == "queued"
        assert "packed" in going["said"]
        told = await agent("run", run=run)
        assert told["indexes"][0]["waiting"]["code"] == "PACKING"
        assert told["indexes"][0]["digest"] is None
        await agent("cancel", runs=[run])
        assert (await agent.ended(run))["runs"][0]["state"] == "cancelled"

    attend(place, script)


def test_a_packer_that_dies_is_found_out(place: GatedDesk) -> None:
    slow(place)

    async def script(agent: Agent) -> None:
        run = (await agent("submit", command="true", timeout="1m", name="slow"))["run"]
        await agent("wait", runs=[run], seconds=0.5)
        for pid in packers(place):
            os.killpg(pid, signal.SIGKILL)
        going = (await agent.ended(run))["runs"][0]
        assert going["state"] == "lost"
        assert going["troubled"][0]["failure"]["code"] == "PACKING_LOST"
        assert going["troubled"][0]["failure"]["retryable"]

    attend(place, script)


def test_the_same_key_gives_the_same_run(place: GatedDesk) -> None:
    async def script(agent: Agent) -> None:
        wave = {"command": "python train.py --lr 0.1", "timeout": "1m", "idempotency_key": "k"}
        first = await agent("submit", **wave)
        assert (await agent("submit", **wave))["run"] == first["run"]
        await agent.ended(first["run"])
        assert (await agent("submit", **wave))["run"] == first["run"]
        problem = await agent.refusal("submit", **{**wave, "timeout": "2m"})
        assert (problem["code"], problem["blame"]) == ("CONFLICT", "user")
        assert len((await agent("runs"))["runs"]) == 1

    attend(place, script)


def test_an_earlier_run_answers_where_that_is_asked_for(place: GatedDesk) -> None:
    async def script(agent: Agent) -> None:
        asked = {"command": "python train.py --lr 0.1", "timeout": "1m", "reuse": True}
        first = await agent("submit", **asked)
        assert first["reused"] is False
        ended = await agent.ended(first["run"])
        assert ended["runs"][0]["reused"] is False
        # Whether the answer comes at once, or waiting brings it, it says so.
        again = await agent("submit", idempotency_key="k", **asked)
        ended = await agent.ended(again["run"])
        (going,) = ended["runs"]
        assert (going["run"], going["state"]) == (first["run"], "succeeded")
        once_more = await agent("submit", idempotency_key="k", **asked)
        assert (once_more["run"], once_more["reused"]) == (first["run"], True)
        told = await agent("run", run=once_more["run"])
        assert told["indexes"][0]["metrics"]["loss"] == pytest.approx(0.04)
        assert len((await agent("runs"))["runs"]) == 1
        wave = {"command": "python train.py --lr {lr}", "parameters": {"lr": [0.1, 0.2]}}
        many = await agent("submit_many", **wave, timeout="1m", reuse=True)
        await agent.ended(many["run"])
        reused = await agent("submit_many", **wave, timeout="1m", reuse=True)
        await agent.ended(reused["run"])
        assert len((await agent("runs"))["runs"]) == 2
        # What failed is run again.
        failing = {"command": "python train.py --lr x", "timeout": "1m", "reuse": True}
        failed = await agent("submit", **failing)
        await agent.ended(failed["run"])
        other = await agent("submit", **failing)
        assert (await agent.ended(other["run"]))["runs"][0]["run"] == other["run"] != failed["run"]

    attend(place, script)


def test_an_order_is_a_name_of_the_run_that_answers_for_it(place: GatedDesk) -> None:
    """Waited for, followed and shown under the id that was given before anybody knew."""
    asked = {"command": "python train.py --lr 0.1", "timeout": "1m"}
    words = ("--timeout", "1m", "--", "python", "train.py", "--lr", "0.1")
    ran = place("run", "--json", "--quiet", *words)
    first = json.loads(ran.stdout)["id"]
    slow(place, then=f'exec {place.env["VIRTUAL_ENV"]}/bin/python "$@"')

    async def script(agent: Agent) -> str:
        order: str = (await agent("submit", **asked, reuse=True))["run"]
        assert order != first
        going = (await agent("wait", runs=[order], seconds=0))["runs"][0]
        assert (going["run"], going["reused"]) == (order, False)
        place.gate.touch()
        ended = (await agent.ended(order))["runs"][0]
        assert (ended["run"], ended["reused"]) == (first, True)
        return order

    order = attend(place, script)
    assert place("wait", order).returncode == 0
    shown = json.loads(place("show", order, "--json").stdout)
    assert (shown["id"], shown["reused"]) == (first, True)
    assert "loss" in place("logs", order).stdout


def test_paths_are_the_projects(place: GatedDesk) -> None:
    (place.home / "data.txt").write_text("42")

    async def script(agent: Agent) -> None:
        run = (
            await agent(
                "submit",
                command="sh -c 'cp in/data.txt out.txt'",
                inputs=["../data.txt:in/data.txt"],
                outputs=["out.txt"],
                timeout="1m",
            )
        )["run"]
        assert (await agent.ended(run))["runs"][0]["state"] == "succeeded"
        found = await agent("results", run=run, read="out.txt")
        assert (found["content"]["text"], found["content"]["more"]) == ("42", False)

    attend(place, script)


def test_budgets_hold_and_are_told(place: GatedDesk) -> None:
    driver = nvml.build(place.home / "driver")
    place.write("sendoff.toml", f'[env]\nLD_LIBRARY_PATH = "{driver}"\n')
    place.env |= {"SENDOFF_BUDGET_GPU_HOURS": "1", "SENDOFF_BUDGET_RUNS": "2"}
    gated = {"command": "python gated.py", "gpu": "h100:2", "group": "g"}

    async def script(agent: Agent) -> None:
        run = await agent.takes_half_a_gpu_hour(**gated)
        told = (await agent("check", timeout="15m", gpu="h100:2", group="g"))["budget"]
        taken = told["gpu_hours_spent"] + told["gpu_hours_reserved"]
        assert (taken, told["gpu_hours_left"]) == pytest.approx((0.5, 0.5))
        assert (told["runs_under_way"], told["runs_left"]) == (1, 1)
        # Others have a budget of their own, and so do runs without a group.
        many = {"commands": ["true", "true", "true"], "timeout": "1m"}
        problem = await agent.refusal("submit_many", **many)
        assert (problem["code"], problem["retryable"]) == ("BUDGET_RUNS", True)
        wave = (await agent("submit_many", max_parallel=2, **many))["run"]
        # The command line and Python are held to the same.
        done = place("run", "--gpu", "h100:2", "-g", "g", "--timeout", "16m", "--", "true")
        assert (done.returncode, "GPU-hours" in done.stderr) == (125, True)
        done = place("run", "--gpu", "h100", "-g", "g", "--", "true")
        assert "needs a time-out" in done.stderr
        # What has ended counts by what it took.
        place.gate.touch()
        await agent.ended(run, wave)
        again = (await agent("submit", timeout="16m", **gated))["run"]
        await agent.ended(again)
        spent = (await agent("check", group="g"))["budget"]
        assert 0 < spent["gpu_hours_spent"] < 0.01
        assert spent["gpu_hours_reserved"] == 0

    attend(place, script)


def test_a_digest_is_reproduced(place: GatedDesk) -> None:
    async def script(agent: Agent) -> None:
        run = (await agent("submit", command="python train.py --lr 0.1", timeout="1m"))["run"]
        await agent.ended(run)
        digest = (await agent("run", run=run))["indexes"][0]["digest"]
        begun = await agent("reproduce", reference=digest)
        assert (begun["earlier"], begun["ended"], begun["holds"]) == (run, False, None)
        wait, again = begun["next"]
        await agent.ended(*wait["arguments"]["runs"])
        found = await agent(again["tool"], **again["arguments"])
        assert (found["holds"], found["level"], found["difference"]) == (True, "L2", "")
        # Compared with the run before it, and not with itself.
        assert (found["earlier"], found["run"]) == (run, begun["run"])
        rebuilt = await agent("reproduce", reference=run, level="L1")
        assert (rebuilt["holds"], rebuilt["run"]) == (True, "")
        problem = await agent.refusal("reproduce", reference="sha256:" + "5" * 64)
        assert (problem["code"], problem["blame"]) == ("DIGEST_GONE", "user")

    attend(place, script)


def test_of_many_the_index_that_differs_comes_first(place: GatedDesk) -> None:
    place.write("noise.py", "import os\nopen('noise.bin', 'wb').write(os.urandom(9))\n")

    async def script(agent: Agent) -> None:
        commands = [f"python train.py --lr {lr}" for lr in (0.1, 0.2)]
        wave = {"commands": [commands[0], "python noise.py", commands[1]], "timeout": "1m"}
        run = (await agent("submit_many", **wave))["run"]
        await agent.ended(run)
        wait, again = (await agent("reproduce", reference=run))["next"]
        await agent.ended(*wait["arguments"]["runs"])
        found = await agent(again["tool"], **again["arguments"])
        assert (found["holds"], found["index_count"]) == (False, 3)
        told = [(each["earlier"], each["holds"], each["level"]) for each in found["indexes"]]
        assert told == [
            (f"{run}/1", False, "L0"),
            (f"{run}/0", True, "L2"),
            (f"{run}/2", True, "L2"),
        ]
        assert "noise.bin" in found["indexes"][0]["difference"]
        assert found["indexes"][0]["run"] == f"{found['run']}/1"

    attend(place, script)


def test_slips_are_told_as_everything_else(place: GatedDesk) -> None:
    async def script(agent: Agent) -> None:
        for arguments, said in (
            ({"command": "true"}, "timeout"),
            ({"command": "true", "timeout": "1m", "gpus": "h100"}, "gpus"),
            ({"command": "true", "timeout": 0}, "time-out"),
            ({"command": "true", "timeout": "soon"}, "soon"),
            ({"command": "", "timeout": "1m"}, "command"),
            ({"command": "echo 'a", "timeout": "1m"}, "shell"),
            ({"command": "true", "timeout": "1m", "project": "nowhere"}, "nowhere"),
        ):
            problem = await agent.refusal("submit", **arguments)
            assert said in problem["message"] + problem["cause"], problem
            assert problem["blame"] in ("user", "config")
            assert not problem["retryable"]
        problem = await agent.refusal("wait", runs=["x"], seconds=60)
        assert "45" in problem["cause"]
        problem = await agent.refusal("logs", run="nobody")
        assert problem["next"] == [{"tool": "runs", "why": "the ids there are"}]
        assert (await agent("runs"))["runs"] == []

    attend(place, script)
