"""Archives that mean ill are refused; those of other makers are read."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from dispatcher.local.archive import Refused, Unpacker, inflate
from packer.layers import gzip as members
from packer.layers.layer import LayerWriter


def unpack(data: bytes, folder) -> None:
    folder.mkdir(exist_ok=True)
    Unpacker(str(folder)).unpack(inflate(io.BytesIO(data), len), len)


def tar(*entries: tarfile.TarInfo, dialect=tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=dialect) as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return gzip.compress(stream.getvalue())


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


def test_our_own_layers(tmp_path):
    sink = io.BytesIO()
    writer = LayerWriter(sink)
    long = "d" * 80 + "/" + "n" * 200
    writer.file("a/b", b"content" * 100_000)
    writer.file("a/run", b"#!/bin/sh", executable=True)
    writer.file(long, b"")
    writer.symlink("link", "a/b")
    writer.file("raw\udcff\nname", b"1")
    writer.finish()
    unpack(sink.getvalue(), tmp_path / "to")
    assert (tmp_path / "to/a/b").read_bytes() == b"content" * 100_000
    assert (tmp_path / "to/a/b").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "to/a/run").stat().st_mode & 0o777 == 0o555
    assert (tmp_path / "to/a/b").stat().st_mtime == 0
    assert (tmp_path / "to" / long).exists()
    assert (tmp_path / "to/link").readlink().as_posix() == "a/b"
    assert (tmp_path / "to/raw\udcff\nname").read_bytes() == b"1"


@pytest.mark.parametrize("dialect", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_other_makers_archives(tmp_path, dialect):
    name = "d" * 90 + "/" + "n" * 90
    unpack(tar(entry("d" * 90, tarfile.DIRTYPE), entry(name, size=700), dialect=dialect), tmp_path)
    assert (tmp_path / name).read_bytes() == b"x" * 700


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([entry("../out")], "would leave"),
        ([entry("a/../../out")], "would leave"),
        ([entry("/etc/out")], "would leave"),
        ([entry("link", tarfile.SYMTYPE, "/etc/passwd")], "link out"),
        ([entry("a/link", tarfile.SYMTYPE, "../../out")], "link out"),
        ([entry("link", tarfile.SYMTYPE, "a/../../out")], "link out"),
        ([entry("d", tarfile.SYMTYPE, "e"), entry("d/file")], "no folder"),
        ([entry("d"), entry("d/file")], "no folder"),
        ([entry("a"), entry("a")], "comes twice"),
        ([entry("l", tarfile.SYMTYPE, "a"), entry("l")], "comes twice"),
        ([entry("hard", tarfile.LNKTYPE, "a")], "of the kind"),
        ([entry("pipe", tarfile.FIFOTYPE)], "of the kind"),
        ([entry("device", tarfile.CHRTYPE)], "of the kind"),
        ([entry("./")], "no name"),
    ],
)
def test_what_must_not_be_unpacked_is_refused(tmp_path, entries, reason):
    with pytest.raises(Refused) as caught:
        unpack(tar(*entries), tmp_path / "to")
    assert reason in caught.value.reason
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_what_is_cut_short_or_no_archive_is_refused(tmp_path):
    whole = tar(entry("a", size=100_000))
    for data in (whole[:-9], whole[:60], b"no gzip at all", gzip.compress(b"no tar" * 999), b""):
        with pytest.raises(Refused):
            unpack(data, tmp_path / str(len(data)))


def test_any_number_of_members_is_one_stream():
    pieces = [b"", b"a" * 10, b"", b"b" * 300_000, b"c"]
    data = b"".join(bytes(part) for piece in pieces for part in members.stored(piece))
    assert b"".join(inflate(io.BytesIO(data), len)) == b"".join(pieces)
