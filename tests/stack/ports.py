"""Free ports and a free network on this machine."""

from __future__ import annotations

import ipaddress
import json
import random
import socket
import subprocess
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tests.stack.unavailable import Unavailable

# Below what Linux gives to outgoing connections (ip_local_port_range): one of those could take the
# port of a server that a test has stopped.
_RANGE = range(20000, 32768)


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A port that nobody listens on for each of `names`, all different.

    Raises:
        Unavailable: there are not as many.
    """
    candidates = random.sample(_RANGE, len(_RANGE))
    free = list(islice(filter(_is_free, candidates), len(names)))
    if len(free) < len(names):
        raise Unavailable("no free ports")
    return dict(zip(names, free, strict=True))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - it never listens
        except OSError:
            return False
    return True


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
