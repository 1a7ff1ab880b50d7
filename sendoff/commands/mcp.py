"""`sendoff mcp`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("mcp", cls=Command, example="sendoff mcp --http --port 8765")
@click.option("--http", "over_http", is_flag=True, help="Over streamable HTTP, not stdio.")
@click.option("--host", default="127.0.0.1", metavar="HOST", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, metavar="N", help="0: any.")
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A further name that clients call it by; repeatable.",
)
@click.option("--token-file", "mcp_token_file", metavar="FILE", help="Where the token is.")
@click.option("--project", metavar="DIR", default=".", help="What is packed; default: here.")
@options.console
def command(
    console: Console,
    *,
    over_http: bool,
    host: str,
    port: int,
    names: tuple[str, ...],
    mcp_token_file: str | None,
    project: str,
) -> int:
    """Serve agents by the Model Context Protocol.

    On standard input and output for one client, which starts it. With --http for clients that
    send the token, which is in $SENDOFF_MCP_TOKEN or a file: whoever has it can run commands as
    you. docs/agents.md has the configuration of clients.
    """
    from sendoff.mcp.desk import Desk
    from sendoff.mcp.errors import SdkMissing
    from sendoff.session import Session

    try:
        import mcp
    except ModuleNotFoundError as error:
        raise SdkMissing(error.name or "mcp") from None
    del mcp
    session = Session.open(Path(project), options.flags({"mcp_token_file": mcp_token_file}))
    # Clients start servers anywhere; paths that a tool is given are the project's.
    os.chdir(session.project)
    desk = Desk(session.project)
    if not over_http:
        from sendoff.mcp.server import serve_stdio

        serve_stdio(desk)
        return 0
    from sendoff.mcp import http

    known = http.token(session.settings.mcp_token_file)
    address = http.Address(host=host, port=port, names=names)
    if not address.is_loopback:
        console.say(
            "warning: what is said goes over the network unencrypted, the token as well; "
            "put a server with TLS in front",
            "yellow",
        )
    http.serve(desk, address, known, lambda url: _tell(url, console))
    return 0


def _tell(url: str, console: Console) -> None:
    if console.machine:
        console.document({"url": url})
    else:
        console.result(url)
