from __future__ import annotations

import gzip as reference

import pytest

from packer.layers import gzip


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 200_000])
@pytest.mark.parametrize("member", [gzip.stored, gzip.packed])
def test_members_are_read_back(size, member):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    blob = b"".join(member(data))
    assert reference.decompress(blob) == data
    assert reference.decompress(blob + blob) == data + data


def test_stored_bytes_are_fixed():
    assert b"".join(gzip.stored(b"abc")).hex() == (
        "1f8b08000000000000ff" + "010300fcff" + "616263" + "c2412435" + "03000000"
    )


def test_packed_bytes_are_those_of_the_pinned_libdeflate():
    # Another digest here means another compressor: then LAYOUT_VERSION has to change as well.
    data = b"".join(b"line %d of a module\n" % (number % 97) for number in range(5000))
    packed = b"".join(gzip.packed(data))
    assert gzip.crc32(packed) == 434636943
