"""Snapshots of real trees, the odd ones among them."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from packer.project import listing, snapshot
from packer.project.listing import Entry
from packer.project.snapshot import Rules, Snapshot
from packer.project.tree_errors import (
    FileUnreadable,
    ProjectEmpty,
    ProjectMissing,
    SymlinkEscape,
    SymlinkLoop,
    TreeChanged,
    TreeTooLarge,
)

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def take(project: Path, tmp_path: Path):
    def taken(rules: Rules | None = None) -> Snapshot:
        return snapshot.take(project, rules, cache=tmp_path / "cache")

    return taken


def entries(taken: Snapshot) -> dict[str, Entry]:
    return {each.path: each for each in listing.entries(taken.listing)}


def left_out(taken: Snapshot) -> dict[str, str]:
    return {each.path: each.reason for each in taken.left_out}


def test_a_listing_has_every_file_with_its_hash(project: Path, take):
    (project / "b.py").write_text("b")
    (project / "a").mkdir()
    (project / "a" / "run.sh").write_text("run")
    (project / "a" / "run.sh").chmod(0o700)
    (project / "a-b").write_text("")
    (project / "link").symlink_to("a/run.sh")
    (project / "empty").mkdir()
    taken = take()
    found = entries(taken)
    assert list(found) == ["a-b", "a/run.sh", "b.py", "empty", "link"]
    assert found["b.py"].sha256 == hashlib.sha256(b"b").hexdigest()
    assert found["a/run.sh"].kind == "executable"
    assert (found["link"].kind, found["link"].target) == ("symlink", "a/run.sh")
    assert found["empty"].kind == "directory"
    assert (taken.files, taken.size) == (5, 4)


def test_names_arrive_as_they_are(project: Path, take):
    deep = "d" * 200 + "/" + "e" * 100
    names = ["new\nline", "sp ace", "tab\t", os.fsdecode(b"\xff\xfe"), "ünïcode", deep, "-", "\\"]
    for name in names:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(name[:1], errors="surrogateescape")
    assert list(entries(take())) == sorted(names, key=os.fsencode)


def test_only_content_and_the_owners_x_bit_count(project: Path, take, tmp_path: Path):
    (project / "a").write_text("a")
    first = take()
    (project / "a").chmod(0o606)
    os.utime(project / "a", (1, 1))
    assert take().digest == first.digest
    copy = shutil.copytree(project, tmp_path / "copy")
    assert snapshot.take(copy, cache=tmp_path / "cache").digest == first.digest
    (project / "a").chmod(0o744)
    assert take().digest != first.digest


def settled(path: Path) -> None:
    """Wait until a change of `path` could not have the stamps it has now."""
    while time.time_ns() < path.stat().st_ctime_ns + 60_000_000:
        time.sleep(0.005)


def test_a_change_that_restores_size_and_time_is_seen(project: Path, take):
    path = project / "a"
    path.write_text("old")
    before = path.stat()
    settled(path)
    first = take()
    path.write_text("new")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert take().digest != first.digest


@pytest.mark.parametrize("turn", range(20))
def test_a_change_right_after_a_snapshot_is_seen(project: Path, take, turn: int):
    path = project / "a"
    path.write_bytes(b"old%d" % turn)
    first = take()
    path.write_bytes(b"new%d" % turn)
    assert take().digest != first.digest


def test_a_replaced_or_removed_file_is_seen(project: Path, take):
    for name in "abc":
        (project / name).write_text(name)
    first = take()
    (project / "b").unlink()
    second = take()
    assert list(entries(second)) == ["a", "c"]
    (project / "b").mkdir()
    assert entries(take())["b"].kind == "directory"
    (project / "b").rmdir()
    (project / "b").write_text("b")
    assert take().digest == first.digest


def test_a_damaged_cache_is_no_cache(project: Path, take, tmp_path: Path):
    (project / "a").write_text("a")
    first = take()
    for path in (tmp_path / "cache" / "files").iterdir():
        if path.is_file():
            path.write_bytes(b"\x93not what it was")
    assert take() == first


def test_what_stays_out_is_told_with_its_rule(project: Path, take):
    (project / "kept").write_text("")
    (project / ".gitignore").write_text("*.log\n")
    (project / "a.log").write_text("")
    (project / "__pycache__").mkdir()
    (project / "env" / "lib").mkdir(parents=True)
    (project / "env" / "pyvenv.cfg").write_text("")
    (project / ".env").write_text("SECRET=1")
    (project / "key").write_text(KEY)
    (project / "certificate.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (project / "both.pem").write_text("-----BEGIN CERTIFICATE-----\n" + KEY)
    (project / "about_keys.md").write_text("A key begins with\n" + KEY)
    os.mkfifo(project / "pipe")
    for _ in range(2):
        taken = take()
        assert list(entries(taken)) == [".gitignore", "about_keys.md", "certificate.pem", "kept"]
        assert left_out(taken) == {
            ".env": "never packed by default: .env*",
            "__pycache__": "never packed by default: __pycache__/",
            "a.log": ".gitignore:1 *.log",
            "both.pem": "it holds a private key",
            "env": "a Python environment",
            "key": "it holds a private key",
            "pipe": "pipe: not a file",
        }
        settled(project / "key")


def test_a_key_is_packed_where_it_is_asked_for(project: Path, take):
    (project / "key").write_text(KEY)
    (project / "other").write_text("")
    assert list(entries(take())) == ["other"]
    (project / ".sendoffignore").write_text("!key\n")
    assert list(entries(take())) == [".sendoffignore", "key", "other"]


def test_changed_rules_hold_at_once(project: Path, take):
    (project / "sub").mkdir()
    for name in ("a.log", "sub/a.log", "b"):
        (project / name).write_text("")
    assert list(entries(take())) == ["a.log", "b", "sub/a.log"]
    (project / ".gitignore").write_text("*.log\n")
    assert list(entries(take())) == [".gitignore", "b", "sub"]
    (project / "sub" / ".gitignore").write_text("!a.log\n")
    assert list(entries(take())) == [".gitignore", "b", "sub/.gitignore", "sub/a.log"]
    assert "sub/a.log" in entries(take(Rules(always=("sub/*.log",))))


def test_always_brings_back_what_git_ignores(project: Path, take):
    (project / ".gitignore").write_text("*.so\n")
    (project / "fast.so").write_text("")
    assert list(entries(take())) == [".gitignore"]
    assert list(entries(take(Rules(always=("/fast.so",))))) == [".gitignore", "fast.so"]
    assert list(entries(take())) == [".gitignore"]


def test_a_project_that_is_itself_an_environment(project: Path, take):
    (project / "pyvenv.cfg").write_text("")
    (project / "lib" / "python3.11").mkdir(parents=True)
    (project / "train.py").write_text("")
    assert list(entries(take())) == ["train.py"]


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta", "CACHEDIR.TAG", "oci-layout"])
def test_directories_that_are_something_else_stay_out(project: Path, take, mark: str):
    for folder in ("sub/dir", "kept"):
        (project / folder).mkdir(parents=True)
        (project / folder / "file").write_text("")
    (project / "sub" / "dir" / mark).write_text("")
    taken = take()
    assert list(entries(taken)) == ["kept/file"]
    assert list(left_out(taken)) == ["sub/dir"]


def test_a_socket_stays_out(take, project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    (project / "a").write_text("")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert left_out(take()) == {"s": "socket: not a file"}


def test_links_hold_wherever_the_tree_is(project: Path, take):
    (project / "a").mkdir()
    (project / "a" / "file").write_text("")
    (project / "relative").symlink_to("a/file")
    (project / "dangling").symlink_to("a/none")
    (project / "a" / "up").symlink_to("..")
    (project / "absolute").symlink_to(project / "a" / "file")
    (project / "around").symlink_to(f"../{project.name}/a/file")
    targets = {path: each.target for path, each in entries(take()).items() if each.target}
    assert targets == {
        "relative": "a/file",
        "dangling": "a/none",
        "a/up": "..",
        "absolute": "a/file",
        "around": "a/file",
    }


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../other", "a/../../x", "/"])
def test_a_link_out_of_the_tree_is_refused(project: Path, take, target: str):
    (project / "a").mkdir()
    (project / "a" / "link").symlink_to(target if target[0] == "/" else f"../{target}")
    with pytest.raises(SymlinkEscape) as caught:
        take()
    assert caught.value.code == "SYMLINK_ESCAPE"
    assert "a/link -> " in caught.value.evidence()
    (project / ".sendoffignore").write_text("link\n")
    take()


def test_a_link_that_leaves_by_another_is_refused(project: Path, take):
    (project / ".gitignore").write_text("out\n")
    (project / "out").symlink_to("/usr")
    (project / "link").symlink_to("out/bin")
    with pytest.raises(SymlinkEscape):
        take()


def test_a_loop_is_refused(project: Path, take):
    (project / "a").symlink_to("b")
    (project / "b").symlink_to("a")
    with pytest.raises(SymlinkLoop) as caught:
        take()
    assert caught.value.code == "SYMLINK_LOOP"


def test_a_large_tree_is_refused_with_its_largest_entries(project: Path, take, tmp_path: Path):
    (project / "images").mkdir()
    for number in range(30):
        (project / "images" / f"{number}.png").write_bytes(bytes(100_000))
    for number in range(12):
        (project / f"model{number:02}.pt").write_bytes(bytes(2_000_000 - number))
    with pytest.raises(TreeTooLarge) as caught:
        take(Rules(limit=10_000_000))
    error = caught.value
    assert error.code == "TREE_TOO_LARGE"
    assert len(error.largest) == 10
    assert error.largest[0] == ("images/", 3_000_000)
    assert error.largest[1] == ("model00.pt", 2_000_000)
    assert "'/images/' >> .sendoffignore" in error.fix()
    assert not (tmp_path / "cache").exists()
    assert take(Rules(limit=30_000_000)).files == 42


@pytest.mark.parametrize(
    "name", ["it's big.bin", "da ta[1]/x1", "a\\b*?", "!x", "#x", "trailing ", "-n"]
)
def test_the_fix_of_a_large_tree_leaves_that_entry_out(project: Path, take, name: str):
    large, code = project / name, project / "x.py"
    large.parent.mkdir(exist_ok=True)
    large.write_bytes(bytes(2_000_000))
    code.touch()
    with pytest.raises(TreeTooLarge) as caught:
        take(Rules(limit=1_000_000))
    assert caught.value.evidence() == f"2.0 MB {name}; 0.0 MB in small files at the top"
    command = caught.value.fix().partition(": ")[2]
    for shell in ("sh", "bash"):
        (project / ".sendoffignore").unlink(missing_ok=True)
        subprocess.run([shell, "-c", command], cwd=project, check=True)
        left_out = take(Rules(limit=1_000_000)).left_out
        assert [each.path for each in left_out] == [name]


def test_many_small_files_at_the_top_have_no_command(project: Path, take):
    for number in range(30):
        (project / f"{number}.png").write_bytes(bytes(100_000))
    with pytest.raises(TreeTooLarge) as caught:
        take(Rules(limit=1_000_000))
    assert caught.value.evidence() == "3.0 MB in small files at the top"
    assert "echo" not in caught.value.fix()


@pytest.mark.parametrize("present", [False, True])
def test_an_empty_project_is_refused(project: Path, take, *, present: bool):
    if present:
        (project / "__pycache__").mkdir()
    with pytest.raises(ProjectEmpty) as caught:
        take()
    assert caught.value.code == "PROJECT_EMPTY"
    assert ("by rule" in caught.value.why()) is present


def test_a_missing_project_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for name in ("none", "file"):
        with pytest.raises(ProjectMissing):
            snapshot.take(tmp_path / name, cache=tmp_path / "cache")


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_cannot_be_read_is_named(tmp_path: Path, kind: str):
    project = tmp_path / "own"
    project.mkdir()
    (project / "a").write_text("")
    closed = project / "closed"
    closed.write_text("") if kind == "file" else closed.mkdir()
    closed.chmod(0)
    with pytest.raises(FileUnreadable) as caught:
        snapshot.take(project, cache=tmp_path / "own-cache")
    assert caught.value.code == "FILE_UNREADABLE"
    assert caught.value.what() == "closed can't be read"
    assert caught.value.why() == "Permission denied"
    assert not (tmp_path / "own-cache").exists()
    closed.chmod(0o700)


def test_a_file_that_grows_while_it_is_read_is_refused(project: Path, take, tmp_path: Path):
    (project / "a.log").write_bytes(bytes(40_000_000))
    stop = threading.Event()

    def grow() -> None:
        with (project / "a.log").open("ab", buffering=0) as stream:
            while not stop.is_set():
                stream.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(TreeChanged) as caught:
            take()
    finally:
        stop.set()
        writer.join()
    assert caught.value.code == "TREE_CHANGED"
    assert caught.value.path == "a.log"
    assert not (tmp_path / "cache").exists()
