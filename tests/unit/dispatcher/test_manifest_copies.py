"""All manifests of a large run in one object."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dispatcher import dispatch
from dispatcher.manifest_copies import LARGE, read, write
from dispatcher.places import Places
from dispatcher.request import Input, Request
from dispatcher.run import Manifest, Run, new_id
from dispatcher.store import RunKeys, Runs
from packer.digest import Digest

DIGEST = Digest.of(b"image")


@pytest.fixture
def runs(places: Places) -> Runs:
    return Runs.at(places)


def ended(runs: Runs, count: int, *, without: int = -1) -> tuple[Run, list[Manifest]]:
    """A run of so many inputs, and manifests of all or all but one of them."""
    inputs = tuple(Input(command=("true", str(number)), digest=DIGEST) for number in range(count))
    run = Run(
        id=new_id("large"),
        created="2026-11-24T03:11:27Z",
        request=Request(inputs=inputs, repository="/images"),
        snapshot=DIGEST,
        environment=DIGEST,
    )
    runs.add(run)
    manifests = [
        Manifest(
            run=run.id,
            index=number,
            attempt=1,
            digest=DIGEST,
            command=("true", f"{number} \udcff"),
            state="failed" if number == 7 else "succeeded",
            exit_code=int(number == 7),
        )
        for number in range(count)
        if number != without
    ]
    for manifest in manifests:
        runs.commit(manifest)
    return run, manifests


def remove_manifests(runs: Runs, run: Run) -> None:
    for number in range(len(run.request.inputs)):
        Path(str(runs.store.path(RunKeys(run.id).manifest(number)))).unlink(missing_ok=True)


def test_what_was_seen_to_have_ended_is_read_at_once(places: Places, runs: Runs) -> None:
    run, manifests = ended(runs, LARGE)
    first = dispatch.status(run.id, places)
    assert (first.state, first.final) == ("failed", True)
    # It shows that they are not read one by one any more.
    remove_manifests(runs, run)
    assert dispatch.status(run.id, places) == first
    assert read(runs, run.id, LARGE) == {each.index: each for each in manifests}


def test_a_small_run_has_no_copy(places: Places, runs: Runs) -> None:
    run, _ = ended(runs, LARGE - 1)
    assert dispatch.status(run.id, places).final
    assert not runs.store.has(RunKeys(run.id).manifests)


def test_a_run_that_goes_on_has_no_copy(runs: Runs) -> None:
    run, manifests = ended(runs, LARGE, without=3)
    write(runs, [*manifests[:3], None, *manifests[3:]])
    assert not runs.store.has(RunKeys(run.id).manifests)


@pytest.mark.parametrize(
    "copy",
    [
        *(
            b"",
            b"no gzip",
            gzip.compress(b"no json", mtime=0),
            gzip.compress(b"{}", mtime=0),
            b"\x1f\x8b\x08",
        ),
        gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20,
    ],
)
def test_a_copy_that_is_none_is_passed_over(copy: bytes, places: Places, runs: Runs) -> None:
    run, manifests = ended(runs, LARGE)
    runs.store.put(RunKeys(run.id).manifests, copy)
    status = dispatch.status(run.id, places)
    assert [each.manifest for each in status.indexes] == manifests


def test_a_copy_that_lacks_some_or_is_of_another_run_is_passed_over(runs: Runs) -> None:
    run, manifests = ended(runs, LARGE)
    other, theirs = ended(runs, LARGE)
    write(runs, theirs)
    copy = runs.store.get(RunKeys(other.id).manifests)
    runs.store.put(RunKeys(run.id).manifests, copy)
    assert read(runs, run.id, LARGE) == {}
    write(runs, manifests)
    assert len(read(runs, run.id, LARGE)) == LARGE
    assert read(runs, run.id, LARGE + 1) == {}
