"""The runner's libraries are its own: no experiment sees them, and it sees no experiment's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from packer.image_paths import RUNNER, site_packages
from tests.pod import MINOR

LOOK = """
import importlib.util, json, os, sys
names = ("urllib3", "minio", "certifi", "typing_extensions", "sendoff_runner")
found = {name: getattr(importlib.util.find_spec(name), "origin", None) for name in names}
import sendoff
print(json.dumps([found, sys.path, os.environ["PYTHONPATH"]]))
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory) -> dict[str, Path]:
    """Two environments: one has a urllib3 of its own, which no client could work with."""
    made = {}
    for name in ("none", "another"):
        made[name] = tmp_path_factory.mktemp(name)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", made[name]], check=True)
    (site,) = (made["another"] / "lib").glob("python*/site-packages")
    for name in ("urllib3", "minio"):
        (site / f"{name}.py").write_text("__version__ = '0.1'\n")
    return made


@pytest.mark.parametrize("kind", ["none", "another"])
def test_an_experiment_sees_its_own(pod, environments, kind):
    pod.code(main=LOOK + "open('result', 'w').write('1')\n")
    environment = environments[kind]
    pod.environment = {"PATH": f"{environment}/bin", "PYTHONPATH": str(pod.folder / "theirs")}
    assert pod.run(["python", "main.py"]) == 0, pod.err
    found, path, variable = json.loads(pod.out)
    if kind == "none":
        assert set(found.values()) == {None}
    else:
        assert found["urllib3"].startswith(str(environment))
        assert found["minio"].startswith(str(environment))
    runner = str(pod.image / RUNNER[1:])
    assert [entry for entry in path if entry.startswith(runner)] == [runner + "/site"]
    assert variable == f"{pod.folder}/theirs:{runner}/site"
    # And the runner has stored all of it with its own.
    assert [file.path for file in pod.manifest().files] == ["result"]


def test_variables_of_an_experiment_do_not_reach_the_runner(pod, tmp_path):
    (tmp_path / "urllib3.py").write_text("raise SystemExit('not yours')\n")
    pod.environment = {"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "urllib3.py")}
    assert pod.run(["true"]) == 0, pod.err


def test_a_runner_takes_four_packages_and_nothing_compiled(pod):
    library = pod.image / RUNNER[1:] / site_packages(MINOR)
    names = {path.name for path in library.iterdir()}
    assert names == {"minio", "urllib3", "certifi", "typing_extensions.py"}
    code = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(pod.image / RUNNER[1:])!r})\n"
        "from sendoff_runner.isolation import use_library\n"
        "use_library()\n"
        "from sendoff_runner import s3_store\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - sys.stdlib_module_names))\n"
        "print([m for m in sys.modules.values()"
        f" if (getattr(m, '__file__', '') or '').startswith({str(library)!r})"
        " and not m.__file__.endswith('.py')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    packages, compiled = done.stdout.splitlines()
    assert compiled == "[]"
    expected = ["__main__", "certifi", "minio", "sendoff_runner", "typing_extensions", "urllib3"]
    assert json.loads(packages.replace("'", '"')) == expected


def test_an_image_without_the_libraries_says_so(pod):
    for entry in (pod.image / RUNNER[1:] / site_packages(MINOR)).iterdir():
        entry.unlink()
    assert pod.run(["true"]) == 70
    assert "there is no minio in" in pod.err
