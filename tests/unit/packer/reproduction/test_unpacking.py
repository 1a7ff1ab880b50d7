"""Layers are somebody's data: nothing is written where it should not be."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.images.layout import Layout
from packer.images.layout_shelf import LayoutShelf
from packer.layers.layer import Layer
from packer.progress import SILENT
from packer.reproduction.errors import RecordDamaged
from packer.reproduction.unpacking import unpack


def layer(layout: Layout, *members: tarfile.TarInfo | tuple[str, bytes]) -> Layer:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                entry = tarfile.TarInfo(member[0])
                entry.size = len(member[1])
                archive.addfile(entry, io.BytesIO(member[1]))
    data = gzip.compress(raw.getvalue())
    return Layer(digest=layout.write(data), diff_id=Digest.of(raw.getvalue()), size=len(data))


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def test_files_links_and_folders_come_and_the_topmost_wins(
    layout: Layout, shelf: LayoutShelf, tmp_path: Path
) -> None:
    script = tarfile.TarInfo("in/run")
    script.mode = 0o755
    below = layer(layout, ("in/a", b"old"), script, ("out/b", b"no"), link("in/l", "a"))
    above = layer(layout, ("in/a", b"new"))

    def wanted(path: str) -> str | None:
        return path.removeprefix("in/") if path.startswith("in/") else None

    seen = unpack((below, above), shelf, tmp_path / "x", wanted, SILENT)
    assert seen == [["in/a", "in/run", "out/b", "in/l"], ["in/a"]]
    assert (tmp_path / "x/a").read_bytes() == b"new"
    assert os.access(tmp_path / "x/run", os.X_OK)
    assert str((tmp_path / "x/l").readlink()) == "a"
    assert not (tmp_path / "x/b").exists()


@pytest.mark.parametrize(
    "member",
    [
        ("../escaped", b"x"),
        ("/etc/escaped", b"x"),
        ("a/../../escaped", b"x"),
        link("l", "/etc"),
        link("l", "../.."),
        link("a/l", "../../x"),
        link("h", "a", tarfile.LNKTYPE),
        link("d", "", tarfile.CHRTYPE),
    ],
)
def test_nothing_leaves_the_folder(
    layout: Layout, shelf: LayoutShelf, tmp_path: Path, member: tarfile.TarInfo | tuple[str, bytes]
) -> None:
    folder = tmp_path / "inner" / "x"
    folder.mkdir(parents=True)
    with pytest.raises(RecordDamaged):
        unpack((layer(layout, member),), shelf, folder, lambda path: path, SILENT)
    assert not list(tmp_path.rglob("escaped"))


def test_nothing_is_written_through_a_link(
    layout: Layout, shelf: LayoutShelf, tmp_path: Path
) -> None:
    made = layer(layout, ("d/a", b"1"), link("l", "d"), ("l/a", b"2"))
    with pytest.raises(RecordDamaged, match="altered"):
        unpack((made,), shelf, tmp_path / "x", lambda path: path, SILENT)
    assert (tmp_path / "x/d/a").read_bytes() == b"1"


def test_what_is_no_archive_is_said(layout: Layout, shelf: LayoutShelf, tmp_path: Path) -> None:
    data = b"no gzip"
    broken = Layer(digest=layout.write(data), diff_id=Digest.of(data), size=len(data))
    with pytest.raises(RecordDamaged):
        unpack((broken,), shelf, tmp_path / "x", lambda path: path, SILENT)
