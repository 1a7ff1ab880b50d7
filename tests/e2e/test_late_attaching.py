"""Runs whose end nobody waited for: their images know of them once anybody has seen the end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.run import unreported
from dispatcher.store import DirectoryStore, Runs
from packer.digest import Digest
from tests.e2e import sandboxes
from tests.e2e.desk import Desk, environment, until

STORE = ".local/share/sendoff/store"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")


@pytest.fixture
def desk(tmp_path: Path, sandbox: Path) -> Desk:
    made = Desk(tmp_path, environment(sandbox, SENDOFF_WARM="0"))
    made.write("data.txt", "packed\n")
    # As if the newest runs had just been looked at.
    looked(made).parent.mkdir(parents=True)
    looked(made).touch()
    return made


def told(desk: Desk) -> Path:
    store = Digest.of(str(desk.home / STORE).encode()).hex[:16]
    return desk.home / ".local/state/sendoff/told" / store


def looked(desk: Desk) -> Path:
    return told(desk) / "looked"


def ended(desk: Desk, *command: str) -> str:
    """The id of a run that has ended, and that nothing of sendoff has looked at since."""
    run = desk.sent("run", "--", *command)
    until((desk.home / STORE / "runs" / run / "0" / "manifest.json").exists)
    return run


def known_to_images(desk: Desk, digest: str) -> list[str]:
    return [each["run"]["id"] for each in desk.json("show", digest)["runs"]]


def attached(desk: Desk, run: str) -> bool:
    return (desk.home / STORE / "runs" / run / "attached.json").exists()


@pytest.mark.parametrize("verb", ["ps", "show", "results", "compare"])
def test_whoever_sees_the_end_has_the_image_told(desk: Desk, verb: str) -> None:
    run = ended(desk, "sh", "-c", "echo loss: 1")
    assert not attached(desk, run)
    desk.done(verb, *([] if verb == "ps" else [run]))
    until(lambda: attached(desk, run))
    assert known_to_images(desk, desk.json("show", run)["digest"]) == [run]


def test_a_later_run_has_the_earlier_ones_told(desk: Desk) -> None:
    first = ended(desk, "sh", "-c", "echo 1")
    desk.sent("run", "--", "sh", "-c", "echo 2")
    assert not attached(desk, first)
    # It looks now and then: as if that were long ago.
    looked(desk).unlink()
    desk.sent("run", "--", "sh", "-c", "echo 3")
    until(lambda: attached(desk, first))
    assert looked(desk).exists()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a registry that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}/team/runs"


def test_a_registry_that_is_silent_costs_whoever_looks_nothing(desk: Desk, silent: str) -> None:
    run, runs = ended(desk, "true"), Runs(DirectoryStore(str(desk.home / STORE)))
    there = runs.run(run)
    pushed = replace(there.request, repository=silent, target="kubernetes")
    names = [f"far-{letter * 6}" for letter in "abc"]
    for name in names:
        away = replace(there, id=name, request=pushed)
        runs.add(away)
        runs.commit(replace(unreported(away, 0, 1), state="succeeded", exit_code=0))
    settings: dict[str, Any] = {"SENDOFF_REGISTRY": silent, "SENDOFF_REGISTRY_INSECURE": "true"}
    desk.done("ps", **settings)
    began = time.monotonic()
    for name in names:
        desk.done("show", name, **settings)
    assert time.monotonic() - began < 5
    # What failed is noted, and nobody tries again at once.
    failed = until(lambda: list(told(desk).glob("failed/*")))
    assert "not told" in failed[0].read_text()
    assert len(failed) == 1
    assert not any(attached(desk, name) for name in names)
