"""The bridge that pods and containers are on, whose address is this machine for them."""

from __future__ import annotations

import ipaddress
import subprocess

from tests.stack.programs import program
from tests.stack.site import Site


def prepare(site: Site) -> None:
    """Make the bridge now: MinIO listens on its address before the first pod exists."""
    length = ipaddress.ip_network(site.subnet).prefixlen
    _ip("link", "add", site.bridge, "type", "bridge")
    _ip("addr", "add", f"{site.gateway}/{length}", "dev", site.bridge)
    _ip("link", "set", site.bridge, "up")


def end(site: Site) -> None:
    """Remove the bridge; what was attached goes with its network namespace."""
    command = [str(program("ip")), "link", "delete", site.bridge]
    subprocess.run(command, check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run([str(program("ip")), *arguments], check=True, capture_output=True)
