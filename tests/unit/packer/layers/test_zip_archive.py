from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from packer.layers.zip_archive import DEFLATED, STORED, ZipArchive, ZipDamaged

TEXT = b"one line\n" * 1000


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data, /) -> int:
        self.data += data
        return len(data)


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def contents(path: Path) -> dict[str, bytes]:
    with ZipArchive(path) as archive:
        return {member.name: archive.content(member) for member in archive.members}


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_reads_what_zipfile_wrote(tmp_path, method):
    files = {"a.txt": TEXT, "empty": b"", "dir/b.bin": bytes(range(256)) * 9000}
    assert contents(zipped(tmp_path / "a.zip", files, method)) == files


def test_streams_are_the_archives_own_bytes(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": bytes(range(251)) * 20000})
    with ZipArchive(path) as archive:
        (member,) = archive.members
        pairs = list(archive.streams(member))
    raw = b"".join(pair[0] for pair in pairs)
    assert len(raw) == member.compressed_size
    assert raw in path.read_bytes()
    assert zlib.decompress(raw, -15) == b"".join(pair[1] for pair in pairs)
    assert max(len(pair[1]) for pair in pairs) <= 1 << 20


def test_data_descriptors(tmp_path):
    sink = Unseekable()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        archive.writestr("b", b"x")
    path = tmp_path / "a.zip"
    path.write_bytes(sink.data)
    assert contents(path) == {"a": TEXT, "b": b"x"}


def test_zip64_sizes_in_the_local_header(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("a", "w", force_zip64=True) as stream:
            stream.write(TEXT)
        archive.writestr("b", b"x")
    assert contents(path) == {"a": TEXT, "b": b"x"}


def test_zip64_table_of_contents(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": TEXT})
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<L", data, end + 16)
    table = bytearray(data[offset:end])
    compressed, plain = struct.unpack_from("<LL", table, 20)
    struct.pack_into("<LL", table, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", table, 30, 28)
    struct.pack_into("<L", table, 42, 0xFFFFFFFF)
    table += struct.pack("<HHQQQ", 1, 24, plain, compressed, 0)
    start = offset + len(table)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(table), offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    path.write_bytes(data[:offset] + table + record + locator + last)
    assert zipfile.ZipFile(path).read("a") == TEXT
    assert contents(path) == {"a": TEXT}


def test_more_members_than_sixteen_bits_count(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{number}": b"" for number in range(66000)}, STORED)
    with ZipArchive(path) as archive:
        assert len(archive.members) == 66000


def test_something_before_and_a_comment_after(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": TEXT})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert contents(path) == {"a": TEXT}


def test_names_without_the_flag_are_cp437(tmp_path):
    path = zipped(tmp_path / "a.zip", {"caf_.txt": b"x", "né.txt": b"y"})
    path.write_bytes(path.read_bytes().replace(b"caf_", b"caf\x82"))
    assert set(contents(path)) == {"café.txt", "né.txt"}


def test_modes(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for mode in (0o100644, 0o100755, 0o100610, 0o755, 0):
            entry = zipfile.ZipInfo(oct(mode))
            entry.external_attr = mode << 16
            entry.create_system = 3
            archive.writestr(entry, b"")
    with ZipArchive(path) as archive:
        assert [m.executable for m in archive.members] == [False, True, True, True, False]


def damaged(path: Path) -> str:
    with pytest.raises(ZipDamaged) as caught:
        contents(path)
    return str(caught.value)


def test_not_an_archive(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"")
    assert "not a zip archive" in damaged(path)
    path.write_bytes(b"<html>" * 100)
    assert "not a zip archive" in damaged(path)


def test_every_cut_is_noticed(tmp_path):
    whole = zipped(tmp_path / "a.zip", {"a": TEXT, "b": TEXT}).read_bytes()
    path = tmp_path / "cut.zip"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        damaged(path)


def test_a_flipped_byte_in_the_content(tmp_path):
    for method in (STORED, DEFLATED):
        path = zipped(tmp_path / "a.zip", {"a": bytes(range(256))}, method)
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        assert "a" in damaged(path)


def test_bytes_after_the_stream_are_refused(tmp_path):
    """Spliced into gzip they would stand where the trailer belongs."""
    path = tmp_path / "a.zip"
    stream = zlib.compressobj(wbits=-15)
    raw = stream.compress(TEXT) + stream.flush()
    header = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, zlib.crc32(TEXT), len(raw) + 3, len(TEXT), 1, 0
    )
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, zlib.crc32(TEXT), len(raw) + 3,
        len(TEXT), 1, 0, 0, 0, 0, 0, 0,
    ) + b"a"  # fmt: skip
    body = header + b"a" + raw + b"xyz"
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(body), 0)
    path.write_bytes(body + entry + end)
    assert zipfile.ZipFile(path).read("a") == TEXT
    assert "does not end" in damaged(path)


def test_methods_of_no_wheel(tmp_path):
    assert "method 12" in damaged(zipped(tmp_path / "a.zip", {"a": TEXT}, zipfile.ZIP_BZIP2))


def test_an_encrypted_member(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": TEXT})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in damaged(path)


def test_the_file_is_closed_when_it_is_no_archive(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"no")
    before = len(list(Path("/proc/self/fd").iterdir()))
    damaged(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
