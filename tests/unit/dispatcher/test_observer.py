"""What can be seen of a run whose records are not all whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import dispatch
from dispatcher.errors import RecordNewer
from dispatcher.observer import Observer
from dispatcher.run import unreported
from dispatcher.store import RunKeys, Runs


def damage(bench, run, index: int) -> Path:
    """Cut the manifest of an index short."""
    path = bench.stored / RunKeys(run.id).manifest(index)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:40])
    return path


def test_a_damaged_manifest_keeps_nobody_from_the_others(bench):
    run = bench.submit(["true"], ["true"])
    bench.wait(run)
    damage(bench, run, 0)
    status = dispatch.status(run.id, bench.places)
    first, second = status.indexes
    assert (status.state, first.state, second.state) == ("lost", "lost", "succeeded")
    assert first.manifest is None
    assert (first.failure.code, first.failure.phase) == ("RECORD_UNREADABLE", "results")
    assert f"sendoff rerun {run.id} --failed" in first.failure.fix
    assert bench.wait(run) == status


def test_one_that_is_damaged_while_somebody_looks(bench, tmp_path):
    code = f"until test -e {tmp_path}/go; do sleep 0.02; done"
    run = bench.submit(["sh", "-c", code])
    with Observer(run.id, bench.places) as observer:
        assert not observer.all().final
        (tmp_path / "go").touch()
        bench.wait(run)
        damage(bench, run, 0)
        status = observer.all()
    assert (status.state, status.indexes[0].failure.code) == ("lost", "RECORD_UNREADABLE")


def test_one_of_many_is_damaged(bench):
    run = bench.run(*[["true"]] * 300)
    runs = Runs.at(bench.places)
    runs.add(run)
    for index in range(300):
        runs.commit(replace(unreported(run, index, 1), state="succeeded", exit_code=0))
    damage(bench, run, 7)
    status = dispatch.status(run.id, bench.places)
    assert [index.index for index in status.indexes if index.state != "succeeded"] == [7]
    # What is not whole is not copied either.
    assert not runs.store.has(RunKeys(run.id).manifests)


def test_a_manifest_of_a_newer_sendoff_is_no_damage(bench):
    run = bench.submit(["true"])
    bench.wait(run)
    path = bench.stored / RunKeys(run.id).manifest(0)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"sendoff.manifest/1", b"sendoff.manifest/2"))
    with pytest.raises(RecordNewer):
        dispatch.status(run.id, bench.places)
