"""The house itself: who may import whom, what a start may load, how large a room may grow."""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("packer", "dispatcher", "sendoff")
HEAVY = {"kubernetes", "docker", "minio", "python_on_whales", "mcp", "matplotlib", "numpy"}
RUNNER = ROOT / "dispatcher" / "runner"


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(
    ("package", "may_not"),
    [("packer", {"dispatcher", "sendoff"}), ("dispatcher", {"sendoff"})],
)
def test_imports_go_one_way(package: str, may_not: set[str]) -> None:
    against = {str(path): found for path in modules(package) if (found := imported(path) & may_not)}
    assert not against


def test_the_runner_imports_nothing_but_the_standard_library_and_what_s3_takes() -> None:
    own = {path.stem for path in RUNNER.rglob("*.py")} | {path.name for path in RUNNER.rglob("*")}
    strangers = {}
    for path in RUNNER.rglob("*.py"):
        allowed = own | sys.stdlib_module_names
        if path.name.startswith("s3_"):
            allowed |= {"minio", "urllib3", "certifi"}
        strangers[path.name] = imported(path) - allowed
    assert not {path: names for path, names in strangers.items() if names}


def test_a_runner_loads_what_s3_takes_only_where_there_is_a_bucket() -> None:
    names = [path.stem for path in RUNNER.glob("*.py") if not path.name.startswith(("s3_", "__"))]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module('dispatcher.runner.' + name)\n"
        "print(sorted({'minio', 'urllib3', 'certifi'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout == b"[]\n"


@pytest.mark.parametrize(
    "start", ["import sendoff", "import sys; sys.argv = ['sendoff', '--help']"]
)
def test_a_start_loads_nothing_heavy(start: str) -> None:
    code = (
        f"{start}\n"
        "import json, sys\n"
        "if sys.argv[1:] == ['--help']:\n"
        "    from sendoff.__main__ import main\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "sendoff" in loaded
    assert not loaded & (HEAVY | {"urllib3", "rich", "asyncio", "packaging"})


def test_files_stay_where_a_reader_can_hold_them() -> None:
    lengths = {
        path: len(path.read_text().splitlines()) for name in PACKAGES for path in modules(name)
    }
    assert statistics.median(lengths.values()) <= 150
    assert {path.name: size for path, size in lengths.items() if size > 400} == {}


def test_no_module_is_named_for_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not {path for name in PACKAGES for path in modules(name) if path.stem in empty_words}
