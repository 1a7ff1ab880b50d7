"""An agent on a cluster: a wave on one class, its best on another, by the SDK's own client."""

from __future__ import annotations

import json

import anyio

from tests.e2e.cluster.desk import Desk
from tests.e2e.desk import PATIENCE
from tests.e2e.mcp.agents import over_stdio, research
from tests.e2e.mcp.conftest import TRAIN


def test_an_agent_screens_on_one_class_and_validates_on_another(desk: Desk) -> None:
    desk.write("train.py", TRAIN)
    # The first image of a desk is packed, pushed and pulled before the clock of a tool matters.
    desk.done("run", "--", "python", "train.py", "--lr", "1")

    async def script() -> dict[str, object]:
        async with over_stdio(desk.project, desk.env) as agent:
            with anyio.fail_after(2 * PATIENCE):
                listed = await agent("gpus")
                assert "h100" in {each["name"] for each in listed["classes"]}
                problem = await agent.refusal("submit", command="true", timeout="1m", gpu="h1000")
                assert (problem["code"], problem["blame"]) == ("GPU_UNKNOWN", "user")
                assert problem["next"][0]["tool"] == "gpus"
                return await research(agent, "h100", "cpu")

    found = anyio.run(script)
    shown = json.loads(desk.done("show", "--json", str(found["wave"])))
    assert shown["target"] == "kubernetes"
    assert shown["request"]["resources"]["gpu"] == "h100"
    assert len(desk.site.of_run("jobs", str(found["wave"]))) == 1
    assert [each["state"] for each in shown["indexes"]] == ["succeeded"] * 5
