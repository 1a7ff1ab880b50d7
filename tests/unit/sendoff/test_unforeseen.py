from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from packer.errors import DiskFull, SendoffError
from sendoff import unforeseen
from sendoff.command_line import run
from sendoff.errors import FolderUnusable, Internal


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CONFIG", "CACHE", "DATA", "STATE"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "home"


def told(error: OSError) -> SendoffError:
    return unforeseen.told(error)


def refusal(number: int, *names: object) -> OSError:
    first, second = (*map(str, names), None, None)[:2]
    return OSError(number, os.strerror(number), first, None, second)


def test_a_folder_that_can_not_be_written_to(tmp_path: Path) -> None:
    error = told(refusal(errno.EROFS, tmp_path / "not" / "there"))
    assert isinstance(error, FolderUnusable)
    assert (error.path, error.reason) == (str(tmp_path), "Read-only file system")
    assert error.fix() == f"name another place, or see whose it is: ls -ld {tmp_path}"
    moved = told(refusal(errno.EACCES, tmp_path / "a", tmp_path / "nowhere" / "b"))
    assert moved.what() == f"{tmp_path} can't be used"


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "it's").touch()
    with pytest.raises(OSError, match="exists") as caught:
        (tmp_path / "it's").mkdir()
    error = told(caught.value)
    assert error.why() == "it is no folder"
    assert "it'\"'\"'s" in error.fix()
    with pytest.raises(NotADirectoryError) as below:
        (tmp_path / "it's" / "below").mkdir()
    assert told(below.value).what() == error.what()


def test_a_folder_of_ours_comes_with_its_setting(home: Path) -> None:
    cache = told(refusal(errno.EROFS, home / ".cache/sendoff/files/x"))
    assert cache.fix() == "put it elsewhere: export SENDOFF_CACHE=DIR"
    whole = told(refusal(errno.ENOENT, home))
    assert {part.strip("=DIR") for part in whole.fix().split()[4:]} == {
        "SENDOFF_CACHE", "SENDOFF_STATE", "SENDOFF_REGISTRY", "SENDOFF_STORE"
    }  # fmt: skip


def test_a_full_disk(tmp_path: Path) -> None:
    error = told(refusal(errno.ENOSPC, tmp_path / "file"))
    assert isinstance(error, DiskFull)
    assert (error.writing, error.where) == ("file", str(tmp_path))
    unknown = told(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert unknown.code == "DISK_FULL"
    assert "sendoff doctor" in unknown.fix()


def test_what_no_place_is_to_blame_for_is_ours() -> None:
    for error in (ValueError("x"), OSError("x"), FileNotFoundError(errno.ENOENT, "x"),
                  OSError(errno.EACCES, "Permission denied", 3)):  # fmt: skip
        assert isinstance(unforeseen.told(error), Internal)


def test_a_current_directory_that_was_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "project").rmdir()
    assert run(["ps"]) == 125
    err = capsys.readouterr().err
    assert "the current directory can't be used" in err
    assert "it was removed" in err


@pytest.mark.parametrize(
    "arguments",
    [("skill", "taken"), ("init", "--project", "taken", "--target", "local"), ("export", "x", "t")],
)
def test_the_command_line_says_so(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("taken").touch()
    monkeypatch.setenv("SENDOFF_STORE", str(Path("taken").absolute()))
    assert run([*arguments]) in (2, 125)
    assert "please report it" not in capsys.readouterr().err


def started(*arguments: str, redirected: str) -> subprocess.CompletedProcess[str]:
    command = f'exec "{sys.executable}" -m sendoff "$@" {redirected}'
    environ = {**os.environ, "SENDOFF_WARM": "0", "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        ["sh", "-c", command, "sh", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environ,
    )


def test_an_output_that_takes_nothing_is_said_and_ends_in_125() -> None:
    ended = started("config", "show", redirected=">/dev/full")
    assert ended.returncode == 125
    assert ended.stderr.startswith("error: standard output can't be written to\n  why: No space")
    assert started("config", "show", redirected="2>/dev/full").returncode == 0


def test_a_closed_output_is_nobody_s() -> None:
    for redirected in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        ended = started("config", "show", redirected=redirected)
        assert (ended.returncode, ended.stderr) == (0, ""), redirected
