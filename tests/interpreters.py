"""The Python that runs the tests, described as a sandbox's."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from pathlib import Path

from packer.environment.interpreter import Interpreter


def running(root: Path) -> Interpreter:
    """It, with its directories below `root`."""
    return Interpreter(
        executable=sys.executable,
        version=".".join(map(str, sys.version_info[:3])),
        prefix=str(root),
        base_executable=sys.executable,
        purelib=str(root / "site"),
        platlib=str(root / "site"),
        scripts=str(root / "bin"),
        cache_tag=str(sys.implementation.cache_tag),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        platform=sysconfig.get_platform(),
    )
