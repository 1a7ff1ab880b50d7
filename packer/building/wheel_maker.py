"""A source made into a wheel, by its own build backend (PEP 517). Imports nothing of ours.

    python wheel_maker.py PLAN SOURCE OUT

Runs in the environment of the build requirements, without a network. `PLAN` is a JSON file:
`backend`, `backend_path`, `requires`, `subdirectory`, and `archive`: whether `SOURCE` has one and
not the tree. What the backend asks for besides is written on a line of its own, and the program
ends with 3.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

MARK = "sendoff-build-requires: "
_WORK = Path("/sendoff/work")


def unpacked(source: Path, *, archive: bool) -> Path:
    """The tree to build in, which the backend may write to."""
    shutil.rmtree(_WORK, ignore_errors=True)
    if not archive:
        shutil.copytree(source, _WORK, symlinks=True)
        return _WORK
    (packed,) = source.iterdir()
    # What it may do to this container is nothing that its build could not.
    if packed.name.endswith(".zip") or not hasattr(tarfile, "fully_trusted_filter"):
        shutil.unpack_archive(packed, _WORK)
    else:
        shutil.unpack_archive(packed, _WORK, filter="fully_trusted")
    (top,) = _WORK.iterdir()
    return top


def main(plan: dict[str, Any], source: Path, out: Path) -> int:
    """Build; the exit status."""
    os.chdir(unpacked(source, archive=plan["archive"]) / str(plan["subdirectory"]))
    for place in plan["backend_path"]:
        sys.path.insert(0, str(Path.cwd() / place))
    module, _, name = str(plan["backend"]).partition(":")
    backend = importlib.import_module(module)
    for part in filter(None, name.split(".")):
        backend = getattr(backend, part)
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    further = [each for each in (ask(None) if ask else ()) if each not in plan["requires"]]
    if further:
        sys.stdout.write(f"\n{MARK}{json.dumps(further)}\n")
        return 3
    out.mkdir(parents=True, exist_ok=True)
    backend.build_wheel(str(out), None)
    return 0


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_bytes())
    sys.exit(main(told, Path(sys.argv[2]), Path(sys.argv[3])))
