"""Scalars of TensorBoard's event files, read without TensorBoard.

A file is a row of TFRecords (tensorflow/core/lib/io/record_writer.h: length, its CRC, data, its
CRC), each an Event (tensorflow/core/util/event.proto) in the wire format of protocol buffers. Of
all that an event may hold, the scalars of its summary are read: `simple_value`, or a tensor of one
number, as writers of TensorFlow 2 have it. What can't be read is passed over; a record that is cut
short ends the file, which is what a killed writer leaves.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from dispatcher.readings import Point, Reading

NAME = re.compile(r"events\.out\.tfevents\.[^/]+")
"""What such a file is called, its folder aside."""
RECORD_LIMIT = 16 << 20
"""Bytes of a record; a larger one holds no scalar."""
FILE_LIMIT = 256 << 20
"""Bytes read of one file."""
NAME_LIMIT = 200

_HEAD, _CRC = struct.Struct("<QI"), 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
# Field numbers: Event.step and .summary, Summary.value, its tag, simple_value and tensor.
_STEP, _SUMMARY, _VALUE, _TAG, _SIMPLE, _TENSOR = 2, 5, 1, 1, 2, 8
# Of a TensorProto: its type, the raw bytes, and where numbers of the types are.
_DTYPE, _CONTENT = 1, 4
_TYPES = {1: ("<f", 5), 2: ("<d", 6)}
_SIGN, _WORD = 1 << 63, 1 << 64

Field = tuple[int, int | bytes]


def read(path: str, stream: BinaryIO) -> Iterator[Reading]:
    """Every scalar, its tag as its name; the source has the number of its record."""
    for number, data in enumerate(_records(stream), 1):
        try:
            yield from _scalars(data, f"{path}:{number}")
        except (ValueError, IndexError, struct.error):
            continue


def prefixes(paths: Iterable[str]) -> dict[str, str]:
    """What to put before the tags of each file, so that those of several writers stay apart.

    TensorBoard takes every folder for a run of its own: "train/" and "validation/" where they lie
    side by side, and nothing for the folder above all others.
    """
    folders = {path: path.split("/")[:-1] for path in paths}
    common = 0
    for level in zip(*folders.values(), strict=False):
        if len(set(level)) > 1:
            break
        common += 1
    return {path: "".join(f"{part}/" for part in parts[common:]) for path, parts in folders.items()}


def _records(stream: BinaryIO) -> Iterator[bytes]:
    left = FILE_LIMIT
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        length = _HEAD.unpack(head)[0]
        left -= length
        if left < 0:
            return
        if length > RECORD_LIMIT:
            if not _skip(stream, length + _CRC):
                return
            yield b""
            continue
        data = stream.read(length + _CRC)
        if len(data) < length + _CRC:
            return
        yield data[:length]


def _skip(stream: BinaryIO, count: int) -> bool:
    while count:
        piece = stream.read(min(count, 1 << 20))
        if not piece:
            return False
        count -= len(piece)
    return True


def _scalars(event: bytes, source: str) -> Iterator[Reading]:
    step, summaries = 0, []
    for number, value in _fields(event):
        if number == _STEP and isinstance(value, int):
            step = value - _WORD if value >= _SIGN else value
        elif number == _SUMMARY and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, value in _fields(summary):
            if number == _VALUE and isinstance(value, bytes):
                found = _scalar(value)
                if found:
                    yield found[0], Point(value=found[1], source=source, step=step)


def _scalar(value: bytes) -> tuple[str, float] | None:
    """Tag and number of one value of a summary; None where it is a picture, a histogram, text."""
    tag, number = "", None
    for field, content in _fields(value):
        if not isinstance(content, bytes):
            continue
        if field == _TAG:
            tag = content.decode(errors="replace")[:NAME_LIMIT]
        elif field == _SIMPLE:
            number = float(struct.unpack("<f", content)[0])
        elif field == _TENSOR:
            number = _single(content)
    return (tag, number) if tag and number is not None else None


def _single(tensor: bytes) -> float | None:
    """The number of a tensor that holds one, a float or a double."""
    fields = dict(_fields(tensor))
    form, place = _TYPES.get(int(fields.get(_DTYPE, 0)), ("", 0))
    data = fields.get(_CONTENT) or fields.get(place)
    if not form or not isinstance(data, bytes) or len(data) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, data)[0])


def _fields(message: bytes) -> Iterator[Field]:
    """The fields of a message: numbers as they are, everything else as bytes.

    Raises:
        ValueError, IndexError: it is no message.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = _varint(message, place)
        else:
            length = _LENGTHS.get(kind, -1)
        if length < 0 or place + length > len(message):
            raise ValueError("not a message")
        yield number, message[place : place + length]
        place += length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        byte = message[place + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:  # noqa: PLR2004 (the continuation bit)
            return value, place + count + 1
    raise ValueError("not a number")
