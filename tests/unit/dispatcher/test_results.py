"""Fetching results: verified, and never outside the destination."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher import results
from dispatcher.errors import ResultAltered, ResultUnknown
from dispatcher.run import Manifest, OutputFile
from dispatcher.store import Runs
from packer import record


@pytest.fixture
def run(bench):
    sent = bench.submit(["sh", "-c", "mkdir d; echo 1 > a.json; echo 2 > d/b.csv; echo 3 > d/c"])
    bench.wait(sent)
    return sent


def stored(bench, run, path: str):
    return bench.stored / f"runs/{run.id}/0/1/files" / path


def forge(bench, run, *paths: str) -> None:
    file = bench.stored / f"runs/{run.id}/0/manifest.json"
    manifest = record.decode(file.read_bytes(), Manifest)
    files = tuple(OutputFile(path=path, size=2, sha256="0" * 64) for path in paths)
    file.write_bytes(record.encode(msgspec.structs.replace(manifest, files=files)))


def test_everything_is_fetched(bench, run, tmp_path):
    fetched = results.fetch(run.id, 0, bench.places, tmp_path / "to")
    assert [path.relative_to(tmp_path / "to").as_posix() for path in fetched] == [
        "a.json",
        "d/b.csv",
        "d/c",
    ]
    assert (tmp_path / "to/d/b.csv").read_text() == "2\n"
    assert not list((tmp_path / "to").rglob(".*"))
    # Again, over what is there; and the store still has it all.
    assert results.fetch(run.id, 0, bench.places, tmp_path / "to") == fetched
    assert len(results.files(run.id, 0, bench.places)) == 3


def test_without_files_no_folder_is_made(bench, tmp_path):
    sent = bench.submit(["true"])
    bench.wait(sent)
    assert results.fetch(sent.id, 0, bench.places, tmp_path / "to") == []
    assert not (tmp_path / "to").exists()


def test_patterns_choose_and_one_without_a_match_is_named(bench, run, tmp_path):
    fetched = results.fetch(run.id, 0, bench.places, tmp_path, ["**/*.csv"])
    assert [path.name for path in fetched] == ["b.csv"]
    with pytest.raises(ResultUnknown) as caught:
        results.fetch(run.id, 0, bench.places, tmp_path, ["*.png"])
    assert "a.json" in caught.value.evidence()


def test_an_altered_result_is_refused_and_leaves_nothing(bench, run, tmp_path):
    stored(bench, run, "a.json").write_text("9\n")
    with pytest.raises(ResultAltered, match="sha256"):
        results.fetch(run.id, 0, bench.places, tmp_path / "to", ["a.json"])
    assert list((tmp_path / "to").iterdir()) == []
    with pytest.raises(ResultAltered):
        results.read(run.id, 0, "a.json", bench.places)
    stored(bench, run, "a.json").write_text("longer\n")
    with pytest.raises(ResultAltered, match="7 bytes"):
        results.fetch(run.id, 0, bench.places, tmp_path / "to", ["a.json"])
    stored(bench, run, "a.json").unlink()
    with pytest.raises(ResultAltered, match="gone"):
        results.fetch(run.id, 0, bench.places, tmp_path / "to")


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", "a//b", "", ".", "a\0b"])
def test_a_forged_manifest_does_not_leave_the_destination(bench, run, tmp_path, path):
    forge(bench, run, path)
    with pytest.raises(ResultAltered):
        results.fetch(run.id, 0, bench.places, tmp_path / "deep/er")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "deep").exists()


def test_a_link_in_the_way_is_not_followed(bench, run, tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "to/d").symlink_to(tmp_path / "else")
    with pytest.raises(ResultAltered, match="in the way"):
        results.fetch(run.id, 0, bench.places, tmp_path / "to")
    assert list((tmp_path / "else").iterdir()) == []
    (tmp_path / "to/d").unlink()
    (tmp_path / "else/a").write_text("kept")
    (tmp_path / "to/a.json").unlink()
    (tmp_path / "to/a.json").symlink_to(tmp_path / "else/a")
    results.fetch(run.id, 0, bench.places, tmp_path / "to")
    assert (tmp_path / "else/a").read_text() == "kept"
    assert not (tmp_path / "to/a.json").is_symlink()


def test_content_can_be_read_and_opened(bench, run):
    assert results.read(run.id, 0, "d/c", bench.places) == b"3\n"
    with pytest.raises(ResultUnknown):
        results.read(run.id, 0, "d/x", bench.places)
    content = {}
    for path, opener in results.openers(run.id, 0, bench.places):
        with opener() as stream:
            content[path] = stream.read()
    assert content == {"a.json": b"1\n", "d/b.csv": b"2\n", "d/c": b"3\n"}


def test_reading_changes_nothing_in_the_store(bench, run, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in bench.stored.rglob("*")}
    results.fetch(run.id, 0, bench.places, tmp_path / "to")
    Runs.at(bench.places).all()
    assert {path: path.stat().st_mtime_ns for path in bench.stored.rglob("*")} == before
