"""Speaks MCP by the official SDK: lists the tools, calls them in threads, tells what failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import mcp_types as protocol
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from packer.errors import SendoffError
from packer.record import Record
from sendoff import unforeseen
from sendoff.mcp import problems, schema
from sendoff.mcp.desk import Desk
from sendoff.mcp.problems import MayHaveBegun, TookTooLong
from sendoff.mcp.tools import INSTRUCTIONS, TOOLS, Tool
from sendoff.mcp.waiting import Watch
from sendoff.version import VERSION

PATIENCE = 50.0
"""Seconds after which a call is answered, whatever it waits for: clients give up near 60."""

T = TypeVar("T")
Context = ServerRequestContext[Any, Any]


def serve_stdio(desk: Desk) -> None:
    """Serve one client on standard input and output, until it goes."""
    anyio.run(_serve_stdio, desk)


async def _serve_stdio(desk: Desk) -> None:
    server = of(desk)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def of(desk: Desk) -> Server[Any]:
    """The server of a desk, for any transport."""
    known = {tool.name: tool for tool in TOOLS}
    listed = protocol.ListToolsResult(tools=described())

    async def list_tools(
        _context: Context, _params: protocol.PaginatedRequestParams | None
    ) -> protocol.ListToolsResult:
        return listed

    async def call_tool(
        _context: Context, params: protocol.CallToolRequestParams
    ) -> protocol.CallToolResult:
        tool = known.get(params.name)
        if tool is None:
            raise MCPError(protocol.INVALID_PARAMS, f"there is no tool {params.name!r}")
        return await _called(desk, tool, params.arguments or {})

    return Server(
        "sendoff",
        version=VERSION,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def described() -> list[protocol.Tool]:
    """The tools as the protocol has them."""
    return [
        protocol.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=schema.of(tool.question),
            output_schema=schema.of(tool.answer),
            annotations=protocol.ToolAnnotations(
                read_only_hint=tool.reads,
                destructive_hint=tool.destroys,
                idempotent_hint=tool.reads or tool.destroys,
                open_world_hint=False,
            ),
        )
        for tool in TOOLS
    ]


async def _called(desk: Desk, tool: Tool, arguments: dict[str, Any]) -> protocol.CallToolResult:
    try:
        with anyio.fail_after(PATIENCE):
            question = schema.read(arguments, tool.question)
            answer = await _in_thread(tool.call, desk, question)
            if isinstance(answer, Watch):
                answer = await _seen(answer)
            return _result(answer)
    except TimeoutError:
        late = (MayHaveBegun if tool.begins else TookTooLong)(tool.name, PATIENCE)
        return _result(problems.of(late, tool.name), failed=True)
    except SendoffError as error:
        return _result(problems.of(error, tool.name), failed=True)
    except Exception as error:  # noqa: BLE001 (an agent is told as people are)
        return _result(problems.of(unforeseen.told(error), tool.name), failed=True)


async def _seen(watch: Watch) -> Record:
    """Look until there is something to say. It ends at once where the client goes."""
    try:
        while (answer := await _in_thread(watch.look)) is None:  # noqa: ASYNC110 (no event comes here)
            await anyio.sleep(watch.pause)
    finally:
        watch.close()
    return answer


async def _in_thread(call: Callable[..., T], *arguments: object) -> T:
    # One that hangs on a server far away is left to end by itself.
    return await anyio.to_thread.run_sync(partial(call, *arguments), abandon_on_cancel=True)


def _result(answer: Record, *, failed: bool = False) -> protocol.CallToolResult:
    document = schema.written(answer)
    # Clients without structured results get the same as text.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return protocol.CallToolResult(
        content=[protocol.TextContent(type="text", text=text)],
        structured_content=document,
        is_error=failed,
    )
