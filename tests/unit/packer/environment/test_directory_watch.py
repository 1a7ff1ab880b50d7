"""The kernel tells that something happened in an environment, or that nothing did."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from packer import inotify
from packer.environment import directory_watch, sweep
from packer.environment.directory_watch import Watches

LONG_AGO = 1_700_000_000_123_456_789


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "above" / "folder"
    for path in (folder / "a", folder / "package" / "b", folder / "empty" / "c"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
        os.utime(path, ns=(LONG_AGO, LONG_AGO))
    (folder / "empty" / "c").unlink()
    return folder


@pytest.fixture
def marks(folder: Path) -> str:
    place = folder.parent.parent / "marks"
    paths = [folder, *folder.rglob("*"), folder / "absent", folder / "no" / "such" / "file"]
    seen = {str(path): sweep.stamp(path) for path in paths}
    sweep.remember(place, seen, 2 * LONG_AGO)
    return str(place)


@pytest.fixture
def watches(marks: str) -> Watches:
    """As after a command that has looked at everything."""
    watches = Watches()
    watches.open()
    assert not watches.quiet(marks)
    offer(watches, marks)
    assert watches.quiet(marks)
    return watches


def offer(watches: Watches, marks: str) -> None:
    """What a command does at its end, and the process that it was forked from then."""
    watches.want(marks)
    watches.offer()
    watches.take()


def rewrite(path: Path) -> None:
    """In place, with the same size, and the time as it was."""
    before = path.stat()
    with path.open("r+") as stream:
        stream.write("CONTENT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "written in place": lambda folder: rewrite(folder / "package" / "b"),
    "replaced": lambda folder: (folder / "a").rename(folder / "package" / "b"),
    "gone": lambda folder: (folder / "a").unlink(),
    "come": lambda folder: (folder / "absent").write_text(""),
    "come where nothing was": lambda folder: (folder / "empty" / "c").write_text(""),
    "come with what it is in": lambda folder: (folder / "no" / "such").mkdir(parents=True),
    "touched": lambda folder: os.utime(folder / "a"),
    "all of it gone": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "another above it": lambda folder: replace(folder.parent),
    "a link above it": lambda folder: link(folder.parent),
}


def replace(above: Path) -> None:
    other = above.with_name("other")
    (other / "folder").mkdir(parents=True)
    above.rename(above.with_name("before"))
    other.rename(above)


def link(above: Path) -> None:
    replace(above)
    above.rename(above.with_name("after"))
    above.symlink_to(above.with_name("after"))


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_happens_is_told(folder: Path, marks: str, watches: Watches, change: str) -> None:
    CHANGES[change](folder)
    assert not watches.quiet(marks)


def test_what_is_not_marked_may_change(folder: Path, marks: str, watches: Watches) -> None:
    (folder.parent / "beside").write_text("")
    assert watches.quiet(marks)


def test_reading_is_no_change(folder: Path, marks: str, watches: Watches) -> None:
    assert (folder / "a").read_text() == "content"
    assert list(folder.rglob("*"))
    assert watches.quiet(marks)


def test_what_is_not_as_the_marks_say_is_not_watched(folder: Path, marks: str) -> None:
    rewrite(folder / "a")
    os.utime(folder / "a")
    watches = Watches()
    watches.open()
    with pytest.raises(BlockingIOError):
        offer(watches, marks)
    assert not watches.quiet(marks)


def test_a_process_that_looks_again_is_told_itself(folder: Path, marks: str) -> None:
    watches = Watches()
    watches.keep()
    assert not watches.quiet(marks), "nothing was wanted"
    for content in ("one", "another"):
        (folder / "a").write_text(content)
        os.utime(folder / "a", ns=(LONG_AGO, LONG_AGO))
        assert not watches.quiet(marks)
        paths = [folder, *folder.rglob("*")]
        sweep.remember(Path(marks), {str(path): sweep.stamp(path) for path in paths}, 2 * LONG_AGO)
        watches.want(marks)
        watches.keep()
        assert watches.quiet(marks)
        watches.keep()
        assert watches.quiet(marks)


def test_two_threads_do_not_wait_for_each_other(marks: str, watches: Watches) -> None:
    with watches._use:
        assert not watches.quiet(marks)
        watches.want(marks)
        watches.keep()
    assert watches.quiet(marks)


def test_after_a_change_it_is_watched_anew(folder: Path, marks: str, watches: Watches) -> None:
    os.utime(folder / "package" / "b", ns=(LONG_AGO, LONG_AGO))
    assert not watches.quiet(marks)
    offer(watches, marks)
    assert watches.quiet(marks)
    (folder / "a").unlink()
    assert not watches.quiet(marks)


def test_only_so_many_are_held(marks: str, watches: Watches) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    others = [f"{marks}-{number}" for number in range(2 * directory_watch.MOST)]
    for other in others:
        Path(other).write_bytes(Path(marks).read_bytes())
        offer(watches, other)
    assert not watches.quiet(marks)
    assert [other for other in others if watches.quiet(other)] == others[-directory_watch.MOST :]
    assert len(list(Path("/proc/self/fd").iterdir())) == before + directory_watch.MOST - 1


def test_a_file_system_that_others_write_to_is_not_watched(
    marks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify, "_TELLING", frozenset())
    watches = Watches()
    watches.open()
    with pytest.raises(BlockingIOError):
        offer(watches, marks)


def test_a_process_without_watches_looks_for_itself(marks: str) -> None:
    watches = Watches()
    watches.want(marks)
    watches.offer()
    assert not watches.quiet(marks)


def test_a_sweep_asks_them(marks: str, watches: Watches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "ALONE", 0)
    monkeypatch.setattr(sweep, "WATCHES", watches)
    monkeypatch.setattr(sweep.process, "Background", pytest.fail)
    monkeypatch.setattr(sweep.sweep_worker, "unchanged", pytest.fail)
    assert sweep.Sweep(Path(marks)).unchanged()
