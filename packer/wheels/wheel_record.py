"""The RECORD of a wheel that may not be on this machine, read with as few bytes as possible."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from packer.environment import distribution
from packer.environment.distribution import Recorded
from packer.wheels.transport import Transport

_TAIL = 1 << 16
"""Bytes read from a wheel's end: the directory of most wheels and, before it, `.dist-info`."""

_LOCAL = struct.Struct("<26xHH")
_LOCAL_SIZE = 30
_END_SIZE = 22
_IN_ZIP64 = 0xFFFFFFFF


def read(path: Path) -> tuple[Recorded, ...]:
    """RECORD of a wheel on this machine; empty where it holds none."""
    with zipfile.ZipFile(path) as archive:
        name = _record_name(archive)
        return distribution.parse_record(_decoded(archive.read(name))) if name else ()


def read_remote(url: str, transport: Transport) -> tuple[Recorded, ...] | None:
    """RECORD of a wheel at `url`; None where the server gives only whole files.

    Two or three requests: the tail (the zip's end and directory), more of it where it is long,
    and the member. Nothing here is trusted: the wheel itself is verified when it is fetched.

    Raises:
        WheelUnavailable: it cannot be read.
        zipfile.BadZipFile: it is no wheel.
    """
    try:
        return _read_remote(url, transport)
    except (struct.error, zlib.error, KeyError) as error:
        raise zipfile.BadZipFile(f"{url}: {error}") from error


def _read_remote(url: str, transport: Transport) -> tuple[Recorded, ...] | None:
    tail = transport.span(url, -_TAIL, _TAIL)
    if tail is None:
        return None
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END_SIZE:
        raise zipfile.BadZipFile(url)
    size, offset = struct.unpack_from("<II", tail, end + 12)
    if _IN_ZIP64 in (offset, size):
        return None
    directory = tail[max(end - size, 0) : end] if size <= end else transport.span(url, offset, size)
    if directory is None:
        return None
    # An archive of nothing but the directory: zipfile reads it and puts up with what is missing.
    ending = tail[end : end + 16] + struct.pack("<IH", 0, 0)
    with zipfile.ZipFile(BytesIO(directory + ending)) as archive:
        name = _record_name(archive)
        if not name:
            return ()
        member = archive.getinfo(name)
    start = member.header_offset
    room = _LOCAL_SIZE + len(name) * 4 + 1024 + member.compress_size
    content = transport.span(url, start, room)
    if content is None:
        return None
    names, extra = _LOCAL.unpack_from(content)
    first = _LOCAL_SIZE + names + extra
    data = content[first : first + member.compress_size]
    if member.compress_type == zipfile.ZIP_DEFLATED:
        data = zlib.decompress(data, -zlib.MAX_WBITS)
    return distribution.parse_record(_decoded(data))


def _record_name(archive: zipfile.ZipFile) -> str:
    """`<name>-<version>.dist-info/RECORD`, at the top of the archive."""
    for name in archive.namelist():
        if name.endswith(".dist-info/RECORD") and name.count("/") == 1:
            return name
    return ""


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")
