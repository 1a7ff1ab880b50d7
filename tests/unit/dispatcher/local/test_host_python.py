"""The host's interpreters, and the runner under each of them."""

from __future__ import annotations

import sys

import pytest

from dispatcher.errors import PythonNotHere
from dispatcher.local import host_python
from dispatcher.runner_tree import runner_tree

OWN = ".".join(map(str, sys.version_info[:3]))


def test_the_same_version_is_preferred(tmp_path):
    found = host_python.find(OWN, tmp_path)
    assert found.version == OWN
    # Not a virtual environment's: its packages must not come along.
    assert found.base_executable != f"{sys.prefix}/bin/python"


def test_another_patch_of_the_minor_serves(tmp_path):
    minor = OWN.rpartition(".")[0]
    assert host_python.find(f"{minor}.99", tmp_path).minor == minor


def test_what_is_not_here_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(PythonNotHere) as caught:
        host_python.find("3.99.0", tmp_path)
    assert caught.value.wanted == "3.99"
    assert OWN.rpartition(".")[0] in caught.value.found
    assert caught.value.fix() == "uv python install 3.99"


@pytest.mark.parametrize("minor", ["3.10", "3.12", "3.13", "3.14"])
def test_the_runner_works_under_other_minors(bench, minor):
    try:
        version = host_python.find(f"{minor}.0", bench.places.cache).version
    except PythonNotHere:
        return
    site = f"/opt/sendoff/env/lib/python{minor}/site-packages"
    digest = bench.image(
        bench.layer({f"{site}/inside.py": "here = 1"}),
        bench.layer(dict(runner_tree())),
        python=version,
    )
    code = "import sys, inside, sendoff; print(sys.version.split()[0], file=open('v', 'w'))"
    manifest = bench.end(["python", "-c", code], digest=digest)
    assert manifest.state == "succeeded", manifest.failure
    assert bench.output(manifest, "v").decode().strip() == version
    assert manifest.hardware["python"] == version
