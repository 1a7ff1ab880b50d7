"""The whole way on real servers: a registry, a cluster with GPUs, and MinIO.

One sweep with scikit-learn is what most of this is about; it runs once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import until

BITS = ["2", "3", "4", "6", "8"]
RESOURCES = ["--gpu", "h100", "--cpus", "0.5", "--memory", "1Gi"]
COMMAND = ["--", "python", "quantize.py", "--hidden", "16", "--bits", "{bits}"]


@dataclass
class Sweep:
    """Five ways of one experiment, from their start to their end."""

    desk: Desk
    run: str = ""
    streamed: list[str] = field(default_factory=list)
    while_running: str = ""
    """The run's state when the first line of its logs arrived."""
    pods: list[dict] = field(default_factory=list)

    def go(self) -> Sweep:
        desk = self.desk
        self.run = desk.sent("sweep", *RESOURCES, "-p", f"bits={','.join(BITS)}", *COMMAND)
        with desk.started("logs", "--follow", self.run) as logs:
            assert logs.stdout
            self.streamed.append(logs.stdout.readline())
            self.while_running = desk.json("show", self.run)["state"]
            self.streamed += logs.stdout
            assert logs.stderr
            said = logs.stderr.read()
            assert (logs.wait(), "error" in said) == (0, False), said
        desk.done("wait", self.run)
        self.pods = desk.site.of_run("pods", self.run)
        return self


@pytest.fixture(scope="module")
def sweep(lab: Desk) -> Sweep:
    return Sweep(lab).go()


@pytest.fixture(scope="module")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, sweep: Sweep, plain: Path
) -> Iterator[Desk]:
    """Another researcher's desk: no such project, no such sandbox, nothing in a cache."""
    folder = tmp_path_factory.mktemp("elsewhere")
    desk = Desk(folder, sweep.desk.site, environment(plain, folder / "cache"))
    yield desk
    desk.clear()


def test_each_index_ran_on_a_gpu_of_the_class(sweep: Sweep) -> None:
    shown = sweep.desk.json("show", sweep.run)
    assert [each["state"] for each in shown["indexes"]] == ["succeeded"] * 5
    assert len({each["digest"] for each in shown["indexes"]}) == 5
    assert len(sweep.pods) == 5
    for pod in sweep.pods:
        (container,) = pod["spec"]["containers"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert container["image"].startswith(f"{sweep.desk.site.registry}@sha256:")
        assert pod["spec"]["nodeName"] == sweep.desk.site.stack.known["node"]
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_logs_came_while_it_ran(sweep: Sweep) -> None:
    assert sweep.while_running == "running"
    for index, bits in enumerate(BITS):
        own = [line for line in sweep.streamed if line.startswith(f"[{index}] ")]
        assert len(own) == 3, own
        assert own[0].startswith(f"[{index}] layer 1, 64x16, at {bits} bits: ")


def test_a_line_is_there_as_soon_as_it_is_printed(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"print('first', flush=True)\n{gate.WAIT}print('second')\n")
    command = ["--", "python", "main.py", *gate.address]
    with desk.started("run", "--gpu", "h100", *command) as run:
        assert run.stdout
        assert run.stdout.readline() == "first\n"
        gate.open()
        assert run.stdout.readline() == "second\n"
        assert run.wait(30) == 0


def test_results_are_what_is_in_minio(sweep: Sweep, tmp_path: Path) -> None:
    objects = sweep.desk.site.objects()
    listed = sweep.desk.json("results", sweep.run)
    fetched = sweep.desk.json("get", sweep.run, "--output", str(tmp_path))
    assert len(fetched) == 10
    for index, each in enumerate(listed):
        manifest = json.loads(objects.read(f"runs/{sweep.run}/{index}/manifest.json"))
        assert [file["path"] for file in each["files"]] == ["metrics.json", "plot.png"]
        assert manifest["files"] == each["files"]
        for file in each["files"]:
            stored = objects.read(f"runs/{sweep.run}/{index}/1/files/{file['path']}")
            here = (tmp_path / str(index) / file["path"]).read_bytes()
            assert here == stored
            assert hashlib.sha256(stored).hexdigest() == file["sha256"]
            assert len(stored) == file["size"]


def test_the_five_ways_side_by_side(sweep: Sweep) -> None:
    table = sweep.desk.json("compare", sweep.run)
    accuracy = {row["parameters"]["bits"]: row["metrics"]["accuracy.all"] for row in table["rows"]}
    assert list(accuracy) == BITS
    assert accuracy["2"] < accuracy["4"] <= accuracy["8"]
    assert accuracy["8"] > 0.9
    drawn = sweep.desk("compare", sweep.run, "--plot", "all.svg")
    assert drawn.returncode == 0, drawn.stderr
    assert (sweep.desk.project / "all.svg").read_bytes().startswith(b"<?xml")


def test_the_same_by_digest_builds_and_pushes_nothing(sweep: Sweep, elsewhere: Desk) -> None:
    site = sweep.desk.site
    pushed = {each.method for each in site.asked_of_registry()}
    assert pushed >= {"POST", "PUT"}
    before = site.registry_log_size()
    again = elsewhere.sent("rerun", f"{sweep.run}/2")
    asked = site.asked_of_registry(after=before)
    elsewhere.done("wait", again)
    assert site.written_of_images(after=before) == []
    # One look whether the image is there still, and the node's own pull.
    ours = [each for each in asked if each.agent.startswith("sendoff")]
    assert [each.method for each in ours] == ["HEAD"]
    assert not (elsewhere.home / "cache" / "sendoff" / "images").exists()
    first, second = sweep.desk.index(sweep.run, 2), elsewhere.index(again)
    assert second["digest"] == first["digest"]
    metrics = [_file(elsewhere, name, "metrics.json") for name in (f"{sweep.run}/2", again)]
    assert metrics[0] == metrics[1]


def test_all_five_again_push_nothing(sweep: Sweep, elsewhere: Desk) -> None:
    site = sweep.desk.site
    before = site.registry_log_size()
    again = elsewhere.sent("rerun", sweep.run, "--gpu", "cpu")
    elsewhere.done("wait", again)
    asked = site.asked_of_registry(after=before)
    assert site.written_of_images(after=before) == []
    # The node has had their layers since the first time.
    assert [each for each in asked if "/blobs/" in each.path and "GET" in each.method] == []
    first, second = (
        desk.json("show", run) for desk, run in ((sweep.desk, sweep.run), (elsewhere, again))
    )
    assert [each["state"] for each in second["indexes"]] == ["succeeded"] * 5
    for key in ("digest", "command", "parameters"):
        assert [each[key] for each in second["indexes"]] == [each[key] for each in first["indexes"]]


def test_what_was_altered_in_the_store_is_refused(sweep: Sweep, elsewhere: Desk) -> None:
    objects = sweep.desk.site.objects()
    key = f"runs/{sweep.run}/4/1/files/metrics.json"
    kept = objects.read(key)
    objects.write(key, kept.replace(b"0.", b"1.", 1))
    try:
        refused = elsewhere.json("get", f"{sweep.run}/4", "metrics.json")
        assert refused["code"] == "RESULT_ALTERED"
        assert not list(elsewhere.project.rglob(f"{sweep.run}/*.json"))
    finally:
        objects.write(key, kept)


def test_the_store_alone_is_enough(sweep: Sweep, elsewhere: Desk, tmp_path: Path) -> None:
    """Run last: the Job and its pods are gone after it, and the cluster is not asked any more."""
    site = sweep.desk.site
    site.kubectl("delete", "job", sweep.run, "--cascade=foreground")
    for kind in ("jobs", "pods", "secrets"):
        until(lambda kind=kind: site.of_run(kind, sweep.run) == [], 60)
    nowhere = {"KUBECONFIG": str(tmp_path / "none")}
    logs = elsewhere.done("logs", sweep.run, **nowhere).splitlines(keepends=True)
    assert sorted(logs) == sorted(sweep.streamed)
    assert [len(each["files"]) for each in elsewhere.json("results", sweep.run, **nowhere)] == [
        2
    ] * 5
    elsewhere.done("get", sweep.run, "*.png", "-o", str(tmp_path / "got"), **nowhere)
    assert len(list((tmp_path / "got").rglob("plot.png"))) == 5
    shown = elsewhere.json("show", sweep.run, **nowhere)
    assert shown["state"] == "succeeded"
    assert len(elsewhere.json("compare", sweep.run, **nowhere)["rows"]) == 5
    assert any(each["id"] == sweep.run for each in elsewhere.json("ps", **nowhere))


def _file(desk: Desk, run: str, path: str) -> bytes:
    (got,) = desk.json("get", run, path, "-o", f"fetched-{run.replace('/', '-')}")
    return (desk.project / got["path"]).read_bytes()
