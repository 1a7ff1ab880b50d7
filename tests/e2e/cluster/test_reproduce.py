"""From the digest alone, on another machine: the same run again, on the class it ran on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk

TRAIN = """\
import json, pathlib, random, sys
random.seed(int(sys.argv[1]))
given = pathlib.Path("given/data.txt").read_text()
weights = [random.random() for _ in range(1000)]
pathlib.Path("model.bin").write_text(repr(weights))
json.dump({"loss": sum(weights), "given": len(given)}, open("metrics.json", "w"))
print("loss:", sum(weights))
"""


class Done(NamedTuple):
    desk: Desk
    run: str
    digest: str


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, site: Any, plain: Path, cache: Path
) -> Iterator[Done]:
    """A run with an input that ended well, followed to its end by whoever sent it off."""
    folder = tmp_path_factory.mktemp("first")
    desk = Desk(folder, site, environment(plain, cache))
    desk.write("train.py", TRAIN)
    (folder / "data.txt").write_text("what is learnt from\n")
    given = ["--input", f"{folder}/data.txt:given/data.txt", "--output", "*.bin"]
    given += ["--output", "metrics.json", "--deterministic", "--timeout", "5m"]
    said = desk.json("run", "--gpu", "h100", *given, "--", "python", "train.py", "7")
    assert said["state"] == "succeeded", said
    yield Done(desk, said["id"], said["digest"])
    desk.clear()


@pytest.fixture
def elsewhere(tmp_path: Path, site: Any, plain: Path) -> Iterator[Desk]:
    """Another machine: no such project, no such sandbox, no caches and no state."""
    desk = Desk(tmp_path, site, environment(plain, tmp_path / "cache"))
    yield desk
    desk.clear()


def test_a_digest_alone_runs_again_to_the_same_bytes(done: Done, elsewhere: Desk) -> None:
    report = elsewhere.json("reproduce", done.digest)
    assert (report["holds"], report["level"]) == (True, "L2"), report
    assert report["earlier"] == done.run
    assert report["command"] == ["python", "train.py", "7"]
    assert report["files"] == 2
    assert {each["name"]: each["holds"] for each in report["levels"]} == {
        "L0": True,
        "L1": None,
        "L2": True,
        "L3": True,
    }
    again = elsewhere.json("show", report["run"])
    request, first = again["request"], elsewhere.json("show", done.run)["request"]
    for name in ("resources", "outputs", "data", "environment", "timeout", "deterministic"):
        assert request[name] == first[name], name
    assert request["resources"]["gpu"] == "h100"
    (pod,) = elsewhere.site.of_run("pods", report["run"])
    (container,) = pod["spec"]["containers"]
    assert container["image"] == f"{elsewhere.site.registry}@{done.digest}"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_a_digest_tells_every_run_of_it(done: Done, elsewhere: Desk) -> None:
    shown = elsewhere.json("show", done.digest[:20])
    assert shown["digest"] == done.digest
    assert shown["request"]["gpu"] == "h100"
    assert shown["request"]["outputs"] == ["*.bin", "metrics.json"]
    (given,) = shown["request"]["data"]
    assert given["path"] == "given/data.txt"
    told = {each["run"]["id"]: each for each in shown["runs"]}
    (ended,) = told[done.run]["indexes"]
    manifest = elsewhere.site.objects().read(f"runs/{done.run}/0/manifest.json")
    assert json.loads(manifest)["files"] == ended["manifest"]["files"]
    assert ended["manifest"]["hardware"]["cpus"]
    assert ended["manifest"]["usage"]["wall"] > 0
    assert ended["metrics"]["given"] == 20


def test_an_image_on_a_base_is_packed_again_to_its_digest(done: Done, elsewhere: Desk) -> None:
    report = elsewhere.json("reproduce", done.digest, "--level", "L1")
    assert (report["holds"], report["run"]) == (True, ""), report


def test_what_is_no_run_image_is_said(done: Done, elsewhere: Desk) -> None:
    shown = elsewhere.json("show", done.digest)
    base = elsewhere.site.stack.known["images"]["base"]
    found = {}
    for name, digest in (("environment", shown["labels"]["environment"]), ("base", base)):
        refused = elsewhere.json("reproduce", digest)
        assert refused["code"] == "NO_RUN_IMAGE", refused
        found[name] = refused["cause"]
    assert found["environment"].startswith("it is an environment image")
    assert found["base"].startswith("it is a base image")
    nobody = "sha256:" + 64 * "0"
    assert elsewhere.json("reproduce", nobody)["code"] == "DIGEST_GONE"
