"""The same lock gives the same bytes, whoever packs it and wherever."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.e2e.wheels.conftest import Building

WHEELS = ("numba", "networkx", "rich", "pyyaml", "greenlet", "ninja", "ipykernel", "joblib")
WORKER = Path(__file__).parents[3] / "packer" / "layers" / "bytecode_worker.py"

_DIGESTS = """
import binascii, hashlib, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
paths = sorted(pathlib.Path(sys.argv[3]).rglob("*.py"))
for path in reversed(paths) if sys.argv[2] == "compiled" else paths:
    source, name = path.read_bytes(), f"/image/{path.name}"
    if sys.argv[2] == "compiled":
        pyc = worker.compiled(name, source)
    else:
        pyc = worker.installed(name, str(path), len(source), binascii.crc32(source))
    print(path, pyc and hashlib.sha256(pyc).hexdigest())
"""


class Made(NamedTuple):
    """What a process has built that is like any other, and where."""

    root: Path
    layers: list[list[object]]


@pytest.fixture(scope="module")
def made(scientific_wheels, python, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    plain = {"umask": "022", "TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"}
    building, root = Building(scientific_wheels, python, folder), folder / "root"
    return Made(root, building.layers(root, *WHEELS, **plain))


def test_hash_seed_umask_and_time_zone_do_not_matter(building, made, tmp_path):
    odd = {"umask": "077", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2", "LC_ALL": "C"}
    assert building.layers(tmp_path / "two", *WHEELS, **odd) == made.layers


def test_the_sandboxs_bytecode_does_not_matter(building, made, python, tmp_path):
    building._python = msgspec.structs.replace(python, purelib="/no", platlib="/no", site_dirs=())
    assert building.layers(tmp_path / "two", *WHEELS) == made.layers


def test_the_python_that_packs_does_not_matter(building, made, tool, tmp_path, python_here):
    venv = tmp_path / "venv"
    tool("venv", "--quiet", "--python", python_here, venv)
    needs = ("deflate==0.9.0", "msgspec")
    tool("pip", "install", "--quiet", "--no-config", "--python", venv / "bin" / "python", *needs)
    other = building.layers(tmp_path / "other", *WHEELS, packer=venv / "bin" / "python")
    assert other == made.layers


def test_bytecode_is_canonical(sandbox, tmp_path, python_here):
    """Thousands of real sources: the sandbox's .pyc and a compilation give the same bytes."""
    sources = sorted((sandbox / "lib").rglob("*.py"))[::5]
    for number, source in enumerate(sources):
        (tmp_path / f"{number}.py").write_bytes(source.read_bytes())
    quiet = ("-W", "ignore")
    subprocess.run((python_here, *quiet, "-m", "compileall", "-qq", tmp_path), check=False, env={})

    def digests(way: str, seed: str) -> dict[str, str]:
        command = (python_here, "-S", *quiet, "-c", _DIGESTS, WORKER, way, tmp_path)
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())

    installed, compiled = digests("installed", "1"), digests("compiled", "2")
    assert len(installed) > 2000
    assert {path for path in installed if installed[path] != compiled[path]} == set()
    assert sum(digest != "None" for digest in installed.values()) > len(installed) - 20


def test_a_blob_is_what_its_name_says(made):
    for digest, _, size in made.layers:
        blob = made.root / "layout" / "blobs" / "sha256" / digest[7:]
        data = blob.read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest[7:], size)
