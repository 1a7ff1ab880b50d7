"""The RECORD of a wheel that is not here: a few spans of it are read, not the whole."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from packer.environment.distribution import Recorded
from packer.wheels import wheel_record
from packer.wheels.index_sources import IndexSources
from packer.wheels.transport import Transport

RECORD = "a/__init__.py,,\na-1.dist-info/RECORD,,\n"
EXPECTED = (Recorded(path="a/__init__.py"), Recorded(path="a-1.dist-info/RECORD"))


class Spans(Transport):
    """Serves a file by spans, and counts what is read."""

    def __init__(self, path: Path, *, whole: bool = False) -> None:
        super().__init__(IndexSources())
        self.data, self.whole, self.read_bytes = path.read_bytes(), whole, 0

    def span(self, url: str, start: int, size: int) -> bytes | None:  # noqa: ARG002 (one file)
        if self.whole:
            return None
        found = self.data[start:][:size] if start < 0 else self.data[start : start + size]
        self.read_bytes += len(found)
        return found


def make(path: Path, *, large: int = 0, members: int = 0, record: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/__init__.py", os.urandom(large))
        for number in range(members):
            archive.writestr(f"a/with_a_rather_long_name_for_a_module_{number}.py", "")
        archive.writestr("a-1.data/data/x.dist-info/RECORD", "not this one")
        if record:
            archive.writestr("a-1.dist-info/RECORD", RECORD)
    return path


@pytest.mark.parametrize(("large", "members"), [(0, 0), (3_000_000, 0), (1_000_000, 3000)])
def test_a_few_spans_are_enough(tmp_path: Path, large: int, members: int) -> None:
    path = make(tmp_path / "a.whl", large=large, members=members)
    spans = Spans(path)
    assert wheel_record.read_remote("https://x/a.whl", spans) == EXPECTED
    assert wheel_record.read(path) == EXPECTED
    assert spans.read_bytes < 700_000


def test_a_server_of_whole_files_is_said(tmp_path: Path) -> None:
    spans = Spans(make(tmp_path / "a.whl"), whole=True)
    assert wheel_record.read_remote("https://x/a.whl", spans) is None


def test_a_wheel_without_record_has_none(tmp_path: Path) -> None:
    path = make(tmp_path / "a.whl", record=False)
    assert wheel_record.read_remote("https://x/a.whl", Spans(path)) == ()


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    for data in (b"", b"<html>", b"PK\x05\x06", b"PK\x05\x06" + b"\x09" * 18):
        path.write_bytes(data)
        with pytest.raises(zipfile.BadZipFile):
            wheel_record.read_remote("https://x/a.whl", Spans(path))
