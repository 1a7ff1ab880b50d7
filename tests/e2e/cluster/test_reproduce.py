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
    said = desk.json("run", *_training(desk, "7"))
    assert said["state"] == "succeeded", said
    yield Done(desk, said["id"], said["digest"])
    desk.clear()


def _training(desk: Desk, seed: str, gpu: str = "h100") -> list[str]:
    """The request of a run of `train.py`."""
    given = ["--input", f"{desk.home}/data.txt:given/data.txt", "--output", "*.bin"]
    given += ["--output", "metrics.json", "--deterministic", "--timeout", "5m"]
    return ["--gpu", gpu, *given, "--", "python", "train.py", seed]


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


def test_the_same_request_is_answered_from_the_store(done: Done) -> None:
    desk, request = done.desk, _training(done.desk, "21")
    first = desk.json("run", *request)
    assert (first["state"], first["reused"]) == ("succeeded", False), first
    jobs = ("get", "jobs", "-o", "name", "-l", f"sendoff.io/group={desk.group}")
    before = desk.site.kubectl(*jobs)
    again = desk.json("run", "--reuse", *request)
    assert (again["id"], again["reused"], again["state"]) == (first["id"], True, "succeeded")
    told = desk("run", "--reuse", *request)
    assert told.returncode == 0, told.stderr
    assert "answered from the store" in told.stderr
    assert "loss: " in told.stdout
    assert desk.site.kubectl(*jobs) == before


def test_a_failed_run_answers_nobody(done: Done) -> None:
    failing = ("--reuse", "--timeout", "5m", "--", "python", "-c", "raise SystemExit(4)")
    first, again = (done.desk.json("run", *failing) for _ in range(2))
    assert [(each["state"], each["reused"]) for each in (first, again)] == [("failed", False)] * 2
    assert again["id"] != first["id"]


def test_what_differs_between_a_run_and_a_digest(done: Done, elsewhere: Desk) -> None:
    other = done.desk.json("run", *_training(done.desk, "8", gpu="cpu"))
    assert other["state"] == "succeeded", other
    found = elsewhere.json("diff", done.run, other["digest"])
    assert found["runs"] == [done.run, other["id"]]
    assert (found["was"], found["now"]) == (done.digest, other["digest"])
    for section in ("files", "packages", "base", "unknown"):
        assert found[section] == [], section
    assert {each["name"] for each in found["request"]} == {"command", "gpu"}
    assert [each["name"] for each in found["metrics"]] == ["loss"]
    assert [each["name"] for each in found["outputs"]] == ["metrics.json", "model.bin"]


def test_nothing_differs_between_two_pods_of_one_request(done: Done, elsewhere: Desk) -> None:
    again = done.desk.json("run", *_training(done.desk, "7"))
    found = elsewhere.json("diff", done.run, again["digest"])
    assert found["runs"] == [done.run, again["id"]]
    assert (found["same"], found["unknown"]) == (True, []), found


@pytest.mark.parametrize("name", ["run.json", "0/manifest.json"])
def test_a_run_whose_records_are_newer_is_refused_as_such(
    done: Done, elsewhere: Desk, name: str
) -> None:
    objects, key = elsewhere.site.objects(), f"runs/{done.run}/{name}"
    kind = name.rpartition("/")[2].partition(".")[0]
    kept, written = objects.read(key), f'"sendoff.{kind}/1"'.encode()
    assert written in kept
    objects.write(key, kept.replace(written, f'"sendoff.{kind}/2"'.encode()))
    try:
        refused = {verb: elsewhere.json(verb, done.run) for verb in ("reproduce", "show")}
    finally:
        objects.write(key, kept)
    for verb, said in refused.items():
        assert said["code"] == "NEWER_SENDOFF_NEEDED", (verb, said)
        assert f"sendoff.{kind}/2" in said["evidence"], (verb, said)
    assert elsewhere.json("show", done.run)["state"] == "succeeded"
