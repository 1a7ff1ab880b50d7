"""The configurations of clients that the pages show, used as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.desk import GatedDesk
from tests.e2e.mcp.agents import TOKEN, served

ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def configurations() -> list[dict[str, Any]]:
    """What the pages say of `sendoff` among `mcpServers`."""
    pages = (ROOT / "README.md", ROOT / "docs" / "agents.md")
    blocks = (json.loads(text) for page in pages for text in _BLOCK.findall(page.read_text()))
    return [block["mcpServers"]["sendoff"] for block in blocks if "mcpServers" in block]


@pytest.mark.parametrize("shown", [each for each in configurations() if "command" in each])
def test_a_client_that_starts_its_server(place: GatedDesk, shown: dict[str, Any]) -> None:
    here = {"/path/to/project/.venv": place.env["VIRTUAL_ENV"]}
    here["/path/to/project"] = str(place.project)
    text = json.dumps(shown)
    for name, value in here.items():
        text = text.replace(name, value)
    found = json.loads(text)
    env = {**place.env, **found.get("env", {})}

    async def script() -> None:
        server = StdioServerParameters(**{**found, "env": env}, cwd=place.home)
        with (place.home / "server.log").open("w") as log:
            async with Client(stdio_client(server, errlog=log)) as client:
                done = await client.call_tool("check", {"timeout": "1m"})
                assert not done.is_error
                assert done.structured_content["project"] == str(place.project)

    anyio.run(script)


@pytest.mark.parametrize("shown", [each for each in configurations() if "url" in each])
def test_a_client_of_a_server_for_all(place: GatedDesk, shown: dict[str, Any]) -> None:
    assert shown["type"] == "http"

    async def script(url: str) -> None:
        headers = {
            name: text.replace("${SENDOFF_MCP_TOKEN}", TOKEN)
            for name, text in shown["headers"].items()
        }
        asked = shown["url"].replace(":8765", ":" + url.split(":")[2].partition("/")[0])
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(asked, http_client=http)) as client,
        ):
            assert (await client.call_tool("runs")).structured_content == {
                "runs": [],
                "more": False,
                "next": [{"tool": "check", "why": "whether a run could be submitted"}],
            }

    with served(place.project, place.env) as url:
        anyio.run(script, url)
