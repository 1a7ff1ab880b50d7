"""Free ports and a free network on this machine."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.stack.unavailable import Unavailable


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A port that nobody listens on for each of `names`, all different."""
    with ExitStack() as held:
        # All are held at once, so that no port is handed out twice.
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("0.0.0.0", 0))  # noqa: S104 - nothing listens; free on every address
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def free_subnet(ip: Path) -> str:
    """A private /24 that no route of this machine touches.

    Raises:
        Unavailable: all that we would take are in use.
    """
    shown = subprocess.run([ip, "-json", "-4", "route"], capture_output=True, check=True).stdout
    routes = [each["dst"] for each in json.loads(shown or "[]") if each["dst"] != "default"]
    taken = [ipaddress.ip_network(each, strict=False) for each in routes]
    for third in range(70, 100):
        subnet = ipaddress.ip_network(f"10.231.{third}.0/24")
        if not any(subnet.overlaps(each) for each in taken):
            return str(subnet)
    raise Unavailable("no free private network for pods")
