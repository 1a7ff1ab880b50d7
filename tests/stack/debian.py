"""The programs that come from Debian's packages, installed by apt where we are root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.stack.locking import locked
from tests.stack.places import CACHE
from tests.stack.unavailable import Unavailable

# Program or file → its package.
PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-registry": "docker-registry",
    "htpasswd": "apache2-utils",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "gcc": "gcc",
    "/usr/include/unistd.h": "libc6-dev",
    "ip": "iproute2",
    "skopeo": "skopeo",
    "umoci": "umoci",
    "faketime": "faketime",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}


def installed(program: str) -> Path | None:
    """Where `program` is, or None where its package isn't installed."""
    if program.startswith("/"):
        return Path(program) if Path(program).exists() else None
    # A user's PATH may lack sbin, where Debian keeps servers.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def install(programs: Iterable[str]) -> None:
    """Install the packages of those `programs` that are not there yet.

    Raises:
        Unavailable: this machine doesn't let us, or apt failed.
    """
    missing = sorted({PACKAGES[name] for name in programs if not installed(name)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"not installed, and apt needs root: {' '.join(missing)}")
    with locked(CACHE / "apt.lock"):
        _apt(missing)
    if absent := [name for name in programs if not installed(name)]:
        raise Unavailable(f"apt did not bring: {' '.join(absent)}")


def _apt(packages: list[str]) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    get = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    sys.stderr.write(f"installing {' '.join(packages)}\n")
    subprocess.run([*get, "update"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [*get, "install", "-y", "--no-install-recommends", *packages],
        env=quiet,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Unavailable(f"apt-get install {' '.join(packages)}: {done.stdout.strip()[-300:]}")
