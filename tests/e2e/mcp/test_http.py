"""Who gets to the server over HTTP, and who does not."""

from __future__ import annotations

import json
import socket

import httpx2
import pytest

from tests.e2e.desk import GatedDesk
from tests.e2e.mcp.agents import TOKEN, served

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def asked(url: str, **headers: str) -> httpx2.Response:
    accepted = {"Accept": "application/json, text/event-stream"}
    return httpx2.post(url, json=HELLO, headers={**accepted, **headers}, timeout=30)


def test_nobody_gets_there_without_the_token(place: GatedDesk) -> None:
    with served(place.project, place.env) as url:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
            answer = asked(url, **headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert TOKEN not in answer.text
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert asked(url, **right).status_code == 200
        # A page that a browser was led to by a name that now means this machine.
        assert asked(url, Host="evil.example", **right).status_code == 421
        assert asked(url, Origin="http://evil.example", **right).status_code == 403
        port = url.split(":")[2].partition("/")[0]
        assert asked(url, Host=f"localhost:{port}", **right).status_code == 200


def test_further_names_are_allowed_by_name(place: GatedDesk) -> None:
    with served(place.project, place.env, "--allow-host", "agents.example") as url:
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert asked(url, Host="agents.example", **right).status_code == 200


def test_a_token_in_a_file(place: GatedDesk) -> None:
    (place.home / "token").write_text(f"{TOKEN}-of-the-file\n")
    options = ("--token-file", str(place.home / "token"))
    with served(place.project, place.env, *options, token="") as url:
        assert asked(url, Authorization=f"Bearer {TOKEN}").status_code == 401
        assert asked(url, Authorization=f"Bearer {TOKEN}-of-the-file").status_code == 200


@pytest.mark.parametrize("token", ["", "short"])
def test_no_server_without_a_good_token(place: GatedDesk, token: str) -> None:
    place.env["SENDOFF_MCP_TOKEN"] = token
    done = place("mcp", "--http", "--port", "0", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "MCP_TOKEN"
    assert "short" not in done.stdout


def test_a_port_that_is_taken(place: GatedDesk) -> None:
    place.env["SENDOFF_MCP_TOKEN"] = TOKEN
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = place("mcp", "--http", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 125
    assert "can't listen on 127.0.0.1" in done.stderr
