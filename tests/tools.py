"""Install the programs the tests use beside Python, where this machine lets us.

skopeo and umoci read our image layouts in the tests, docker-registry takes what we push. Without
root or apt the tests that need them are skipped, with the reason; CI counts such a skip as a
failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "skopeo": "skopeo",
    "umoci": "umoci",
    "docker-registry": "docker-registry",
    "htpasswd": "apache2-utils",
    "openssl": "openssl",
}


def main() -> None:
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"not installed, tests that need them are skipped: {' '.join(missing)}", file=sys.stderr
        )
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        env=quiet,
        check=False,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
