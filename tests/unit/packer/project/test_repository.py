from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from packer.project import repository

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    (root / "part").mkdir()
    (root / "part" / "a").write_text("a")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


def revision(path: Path) -> repository.Revision | None:
    return repository.revision(os.fsencode(path))


def test_commit_and_changes_are_those_that_git_says(root: Path):
    for path in (root, root / "part"):
        found = revision(path)
        assert found == repository.Revision(commit=git(root, "rev-parse", "HEAD"), dirty=False)
    (root / "new").write_text("")
    assert revision(root).dirty
    assert not revision(root / "part").dirty


@pytest.mark.parametrize("state", ["packed", "detached", "worktree"])
def test_wherever_git_keeps_the_commit(root: Path, tmp_path: Path, state: str):
    place = root
    if state == "packed":
        git(root, "pack-refs", "--all")
    elif state == "detached":
        git(root, "checkout", "-q", "--detach")
    else:
        place = tmp_path / "tree"
        git(root, "worktree", "add", "-q", str(place), "-b", "side")
    assert revision(place).commit == git(place, "rev-parse", "HEAD")


def test_a_repository_without_a_commit(tmp_path: Path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("")
    assert revision(tmp_path) == repository.Revision(commit="", dirty=True)


def test_no_repository_no_revision(tmp_path: Path):
    assert revision(tmp_path) is None
