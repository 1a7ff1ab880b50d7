from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from packer.progress import SILENT
from packer.project.walk import Walk


def walked(root: Path, before: Walk | None = None) -> Walk:
    walk = Walk(os.fsencode(root), before.directories if before else {})
    walk.scan()
    return walk


def test_a_second_walk_reads_only_what_changed(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    while time.time_ns() < (tmp_path / "b").stat().st_ctime_ns + 60_000_000:
        time.sleep(0.005)
    first = walked(tmp_path)
    assert first.heads == {}
    first.read(SILENT)
    (tmp_path / "b").write_text("changed")
    second = walked(tmp_path, first)
    assert second.heads == {b"a": first.heads[b"a"]}
    second.read(SILENT)
    assert set(second.heads) == {b"a", b"b"}


def test_what_was_read_too_early_is_read_again(tmp_path: Path):
    (tmp_path / "a").write_text("a")
    first = walked(tmp_path)
    first.read(SILENT)
    second = walked(tmp_path, first)
    assert second.heads == {}


def test_a_folder_that_leaves_out_all_of_itself_is_not_there(tmp_path: Path):
    for folder, name in (("git", ".gitignore"), ("own", ".sendoffignore")):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep/file").write_text("")
        (tmp_path / folder / name).write_text("*\n")
    walk = walked(tmp_path)
    # Of git's a program may need the folder: it is empty in a clone as well.
    assert set(walk.heads) == {b"git"}
    assert {path for path, _ in walk.left_out} >= {b"own/deep", b"own/.sendoffignore"}
    second = walked(tmp_path, walk)
    assert set(second.heads) == {b"git"}
    (tmp_path / "own/.sendoffignore").write_text("*\n!/.sendoffignore\n")
    third = walked(tmp_path, second)
    third.read(SILENT)
    assert set(third.heads) == {b"git", b"own/.sendoffignore"}


def test_a_tree_deeper_than_python_recurses(tmp_path: Path):
    depth = 1_500
    folder = str(tmp_path)
    for _ in range(depth):
        folder += "/d"
        Path(folder).mkdir()
    Path(folder, "file").write_text("")
    try:
        walk = walked(tmp_path)
        walk.read(SILENT)
    finally:
        # pytest would recurse.
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)
    assert list(walk.heads) == [b"d/" * depth + b"file"]


def test_sizes_are_those_of_the_files(tmp_path: Path):
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "b").write_bytes(bytes(5))
    (tmp_path / "link").symlink_to("a")
    assert walked(tmp_path).size == 15
