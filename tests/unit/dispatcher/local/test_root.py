"""Environments put together from layers."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher.local.image import StoredLayer
from dispatcher.local.layer_cache import LayerCache
from dispatcher.local.root import RootCache
from dispatcher.runner_tree import runner_tree
from packer.environment import interpreter
from packer.image_paths import PREFIX, RUNNER


@pytest.fixture
def make(bench):
    layers = LayerCache(bench.places.cache / "layers", bench.layout)
    roots = RootCache(bench.places.cache / "roots")
    python = interpreter.describe(Path(sys.executable), bench.places.cache)

    def made(*contents: dict) -> Path:
        stored = [bench.layer(content) for content in contents]
        described = [StoredLayer(digest=x.digest, diff_id=x.diff_id, size=x.size) for x in stored]
        layers.unpack(described)
        folders = [layers.path(layer) for layer in described]
        roots.make(folders, python)
        return roots.find(folders, python)

    return made


def test_files_are_linked_and_the_later_layer_wins(make):
    root = make(
        {f"{PREFIX}/a": "1", f"{PREFIX}/lib/b": "1"},
        {f"{PREFIX}/a": "2", **runner_tree()},
        {"/workspace/code.py": "pass"},
    )
    assert (root / PREFIX[1:] / "a").read_text() == "2"
    assert (root / PREFIX[1:] / "lib/b").stat().st_nlink == 2
    assert not (root / "workspace").exists()


def test_code_makes_no_new_environment(make):
    environment = {f"{PREFIX}/a": "1"}
    assert make(environment, {"/workspace/x": "1"}) == make(environment, {"/workspace/x": "2"})
    assert make(environment) != make({f"{PREFIX}/a": "2"})


def test_python_is_the_hosts_and_sees_the_environment_alone(make):
    site = f"{PREFIX}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    root = make({f"{site}/only.py": "x = 1", **runner_tree()})
    code = "import sys, only; print(sys.prefix); print(sys.version)\n"
    python = root / PREFIX[1:] / "bin/python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    prefix, version = done.stdout.splitlines()[:2]
    assert prefix == f"{root}{PREFIX}"
    assert sys.version.startswith(version)


def test_the_runner_is_compiled(make):
    root = make(dict(runner_tree()))
    assert list((root / RUNNER[1:] / "sendoff_runner" / "__pycache__").glob("attempt.*.pyc"))


def test_folders_can_not_be_written_by_their_owner(make):
    root = make({f"{PREFIX}/lib/a": "1"})
    assert (root / PREFIX[1:] / "lib").stat().st_mode & 0o777 == 0o555


def test_seven_thousand_files_take_a_third_of_a_second(bench):
    content = {f"{PREFIX}/lib/p{n % 500}/m{n}.py": "x" for n in range(7000)}
    layer = bench.layer(content)
    layers = LayerCache(bench.places.cache / "layers", bench.layout)
    stored = StoredLayer(digest=layer.digest, diff_id=layer.diff_id, size=layer.size)
    layers.unpack([stored])
    python = interpreter.describe(Path(sys.executable), bench.places.cache)
    began = time.perf_counter()
    RootCache(bench.places.state / "roots").make([layers.path(stored)], python)
    # Three times the goal: the machine that runs this may be busy.
    assert time.perf_counter() - began < 1.0
