from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib

import pytest

from packer.layers import tar
from packer.layers.layer import LayerWriter


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def written(fill) -> tuple[bytes, bytes]:
    """The blob and the tar inside; the descriptor is compared with both."""
    sink = io.BytesIO()
    writer = LayerWriter(sink)
    fill(writer)
    layer = writer.finish()
    blob = sink.getvalue()
    plain = gzip.decompress(blob)
    assert layer.size == len(blob)
    assert layer.digest.hex == hashlib.sha256(blob).hexdigest()
    assert layer.diff_id.hex == hashlib.sha256(plain).hexdigest()
    return blob, plain


def members(plain: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return {member.name: member for member in archive}


@pytest.mark.parametrize("size", [0, 1, 511, 512, 65535, 65536, 3_000_000])
def test_every_way_to_write_a_file_gives_the_same_tar(size):
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    pieces = [data[at : at + 100_000] for at in range(0, size, 100_000)]
    ways = [
        lambda writer: writer.file("a/b", data, executable=True),
        lambda writer: writer.stored("a/b", size, pieces, executable=True),
        lambda writer: writer.packed("a/b", size, pieces, executable=True),
        lambda writer: writer.spliced(
            "a/b", size, zlib.crc32(data), [(deflated(data), data)], executable=True
        ),
    ]
    tars = {written(way)[1] for way in ways}
    assert len(tars) == 1
    with tarfile.open(fileobj=io.BytesIO(tars.pop())) as archive:
        assert archive.extractfile("a/b").read() == data
        assert archive.getmember("a/b").mode == 0o755
        assert archive.getmember("a").isdir()


def test_nothing_in_a_header_but_name_size_mode_and_kind():
    def fill(writer):
        writer.directory("d/e")
        writer.file("d/e/f", b"x")
        writer.symlink("d/l", "e/f")

    found = members(written(fill)[1])
    assert list(found) == ["d", "d/e", "d/e/f", "d/l"]
    for member in found.values():
        assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
        assert (member.uname, member.gname) == ("", "")
    assert found["d/l"].linkname == "e/f"
    assert found["d/e/f"].mode == 0o644
    assert found["d"].mode == 0o755


def test_directories_come_once():
    def fill(writer):
        writer.file("a/b/1", b"")
        writer.directory("a/b")
        writer.file("a/b/2", b"")

    assert list(members(written(fill)[1])) == ["a", "a/b", "a/b/1", "a/b/2"]


@pytest.mark.parametrize(
    "name", ["n" * 100, "n" * 101, "d/" * 60 + "x", "n" * 255, "né", "a\nb", "\udcff.bin"]
)
def test_names(name):
    def fill(writer):
        writer.file(name, b"content")
        writer.symlink("link", name)

    found = members(written(fill)[1])
    assert name in found
    assert found["link"].linkname == name


def test_more_than_eight_gibibytes_in_a_header():
    size = 9 << 30
    info = tarfile.TarInfo.frombuf(tar.file("big", size), "utf-8", "surrogateescape")
    assert info.size == size


def test_the_bytes_are_the_same_whatever_the_pieces():
    data = bytes(range(256)) * 20000
    raw = deflated(data)

    def spliced(step):
        def fill(writer):
            pairs = [(raw[at : at + step], b"") for at in range(0, len(raw), step)]
            pairs += [(b"", data[at : at + step]) for at in range(0, len(data), step)]
            writer.spliced("a", len(data), zlib.crc32(data), pairs)

        return written(fill)

    assert spliced(1000) == spliced(1 << 20)
