from __future__ import annotations

from pathlib import Path

from packer.building.plan import Task
from packer.digest import Digest
from packer.environment.environment_report import Arrival, EnvironmentReport
from packer.environment.lock import Lock
from packer.explain import explain, forecast
from packer.layers.layer import Layer
from packer.packed import Outlook, Packed
from packer.project import snapshot
from packer.project.snapshot import LeftOut


def test_what_decided_a_digest_is_told(tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    for number in range(12):
        (project / f"file{number:02}").write_bytes(bytes(number))
    (project / ".env").write_text("")
    taken = snapshot.take(project, cache=tmp_path / "cache")
    report = EnvironmentReport(
        arrivals=(Arrival(name="six", version="1.17.0", how="wheel"),), warnings=("careful",)
    )
    some = Digest.of(b"some")
    layers = tuple(Layer(digest=some, diff_id=some, size=size) for size in (10, 20))
    packed = Packed(
        images=(some,),
        environment=some,
        snapshot=taken.digest,
        lock=Lock(python="3.11.7", platform="linux/amd64", wheels=()),
        lock_digest=some,
        layers=layers,
        tags={},
        project=taken,
        editables={"other": taken},
        report=report,
        revision=None,
        timings={},
    )
    found = explain(packed)
    assert [tree.name for tree in found.trees] == ["", "other"]
    assert [each.path for each in found.trees[0].largest][:2] == ["file11", "file10"]
    assert len(found.trees[0].largest) == 10
    assert found.trees[0].left_out == (
        LeftOut(path=".env", reason="never packed by default: .env*"),
    )
    assert (found.size, found.warnings, found.python) == (30, ("careful",), "3.11.7")


def test_what_would_decide_one_is_told_alike() -> None:
    report = EnvironmentReport(
        arrivals=(Arrival(name="odd", version="1.0", how="wheel"),),
        warnings=("careful",),
        built={"odd": "odd-1.0.tar.gz"},
    )
    tasks = (Task(builder="buildkit", takes="odd-1.0.tar.gz", makes="wheel odd 1.0"),)
    lock = Lock(python="3.11.7", platform="linux/amd64", wheels=())
    found = forecast(Outlook(lock=lock, report=report, tasks=tasks))
    assert (found.python, found.platform) == ("3.11.7", "linux/amd64")
    assert (found.tasks, found.arrivals, found.built) == (tasks, report.arrivals, report.built)
