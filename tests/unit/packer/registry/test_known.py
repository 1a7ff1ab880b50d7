"""What is remembered of a repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.registry import known
from packer.registry.known import KnownBlobs
from packer.registry.reference import Repository

HERE = Repository(host="a.example.com", path="x")
DIGESTS = [Digest.of(bytes([number])) for number in range(20)]


def test_what_was_remembered_is_known(tmp_path: Path) -> None:
    memory = KnownBlobs(tmp_path, HERE)
    assert memory.recall() == set()
    memory.remember(DIGESTS[:3])
    memory.remember(DIGESTS[3:5])
    assert KnownBlobs(tmp_path, HERE).recall() == set(DIGESTS[:5])


@pytest.mark.parametrize(("host", "path"), [("a.example.com", "y"), ("b.example.com", "x")])
def test_other_repositories_are_others(tmp_path: Path, host: str, path: str) -> None:
    KnownBlobs(tmp_path, HERE).remember(DIGESTS)
    assert KnownBlobs(tmp_path, Repository(host=host, path=path)).recall() == set()


def test_it_is_believed_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = KnownBlobs(tmp_path, HERE)
    now = known.time.time()
    memory.remember(DIGESTS)
    monkeypatch.setattr(known.time, "time", lambda: now + known.LIFETIME + 5)
    assert memory.recall() == set()
    monkeypatch.setattr(known.time, "time", lambda: now - 60)
    assert memory.recall() == set()


def test_it_is_forgotten(tmp_path: Path) -> None:
    memory = KnownBlobs(tmp_path, HERE)
    memory.forget()
    memory.remember(DIGESTS)
    memory.forget()
    assert memory.recall() == set()


def test_what_is_broken_is_not_believed(tmp_path: Path) -> None:
    memory = KnownBlobs(tmp_path, HERE)
    memory.remember(DIGESTS[:1])
    path = next((tmp_path / "registry" / "known").iterdir())
    whole = path.read_bytes()
    path.write_bytes(b"\xff\x00\nnan " + whole.split()[1] + b"\nx\n" + whole + whole[:40])
    assert memory.recall() == set(DIGESTS[:1])


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = KnownBlobs(tmp_path, HERE)
    for _ in range(300):
        memory.remember(DIGESTS)
    path = next((tmp_path / "registry" / "known").iterdir())
    now = known.time.time()
    monkeypatch.setattr(known.time, "time", lambda: now + known.LIFETIME + 5)
    memory.remember(DIGESTS[:1])
    assert memory.recall() == set(DIGESTS[:1])
    assert path.stat().st_size < 200


def test_processes_write_side_by_side(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from packer.digest import Digest;"
        "from packer.registry.known import KnownBlobs;"
        "from packer.registry.reference import Repository;"
        "memory = KnownBlobs(Path(sys.argv[1]), Repository(host='a.example.com', path='x'));"
        "[memory.remember([Digest.of((sys.argv[2] + str(n)).encode())]) for n in range(200)]"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, name]) for name in ("a", "b", "c")
    ]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert len(KnownBlobs(tmp_path, HERE).recall()) == 600
