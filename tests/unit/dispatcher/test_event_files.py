"""Event files whose bytes are made here; those of a real writer are in tests/e2e."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatcher import event_files
from dispatcher.metrics import collect


def varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data, value = data + bytes([value & 0x7F | 0x80]), value >> 7
    return data + bytes([value])


def field(number: int, value: int | bytes, kind: int = 2) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    length = varint(len(value)) if kind == 2 else b""
    return varint(number << 3 | kind) + length + value


def event(step: int, *values: bytes) -> bytes:
    """One record: wall time, step, and a summary of these values."""
    clock = field(1, struct.pack("<d", 1.7e9), kind=1)
    summary = field(5, b"".join(field(1, value) for value in values))
    return record(clock + (field(2, step) if step else b"") + summary)


def record(data: bytes) -> bytes:
    return struct.pack("<QI", len(data), 0) + data + bytes(4)


def scalar(tag: str, number: float) -> bytes:
    return field(1, tag.encode()) + field(2, struct.pack("<f", number), kind=5)


def tensor(tag: str, content: bytes) -> bytes:
    return field(1, tag.encode()) + field(8, content)


def read(data: bytes) -> list[tuple[str, float, float | None]]:
    return [(name, p.value, p.step) for name, p in event_files.read("f", io.BytesIO(data))]


def test_scalars_with_their_steps():
    data = record(field(3, b"brain.Event:2")) + event(0, scalar("loss", 0.5), scalar("lr", 0.25))
    data += event(1, scalar("loss", 0.125))
    assert read(data) == [("loss", 0.5, 0), ("lr", 0.25, 0), ("loss", 0.125, 1)]
    (_, point), *_ = event_files.read("tb/f", io.BytesIO(data))
    assert point.source == "tb/f:2"


def test_tensors_of_one_number_are_scalars_and_others_are_not():
    float_of = {
        "raw": field(1, 1) + field(4, struct.pack("<f", 1.5)),
        "packed": field(1, 1) + field(5, struct.pack("<f", 2.5)),
        "double": field(1, 2) + field(6, struct.pack("<d", 3.5)),
    }
    others = {
        "two": field(1, 1) + field(4, struct.pack("<ff", 1, 2)),
        "text": field(1, 7) + field(8, b"words"),
        "none": field(1, 1),
    }
    values = [tensor(tag, content) for tag, content in {**float_of, **others}.items()]
    picture = field(1, b"picture") + field(4, b"...")
    assert read(event(3, *values, picture)) == [
        ("raw", 1.5, 3),
        ("packed", 2.5, 3),
        ("double", 3.5, 3),
    ]


def test_a_negative_step_is_one():
    assert read(event(2**64 - 1, scalar("a", 1)))[0][2] == -1


@pytest.mark.parametrize("cut", [1, 5, 13, 20])
def test_a_record_that_is_cut_short_ends_the_file(cut):
    whole = event(1, scalar("a", 1))
    assert read(whole + whole[:-cut]) == [("a", 1, 1)]


def test_what_is_no_event_is_passed_over_and_what_is_too_large_is_skipped(monkeypatch):
    monkeypatch.setattr(event_files, "RECORD_LIMIT", 100)
    data = record(b"\xff" * 30) + record(bytes(200)) + event(1, scalar("a", 1))
    assert read(data) == [("a", 1, 1)]
    assert read(struct.pack("<QI", 2**63, 0) + bytes(100)) == []


@given(some.binary(max_size=200))
def test_no_bytes_break_it(data):
    read(data)
    read(record(data))
    read(record(field(5, field(1, data))))


def test_writers_side_by_side_stay_apart_and_one_alone_has_its_tags():
    def files(**values: float):
        return [
            (f"{folder}/events.out.tfevents.1.vm", lambda n=n: io.BytesIO(event(1, scalar("a", n))))
            for folder, n in values.items()
        ]

    assert set(collect(files(logs=1), [])) == {"a"}
    both = collect([(f"logs/{path}", opener) for path, opener in files(train=1, val=2)], [])
    assert {name: metric.value for name, metric in both.items()} == {"train/a": 1, "val/a": 2}
    assert event_files.prefixes(["tb/e", "tb/loss/e"]) == {"tb/e": "", "tb/loss/e": "loss/"}
    assert event_files.prefixes(["e"]) == {"e": ""}
    assert event_files.prefixes([]) == {}


def test_a_later_file_of_one_writer_goes_on_with_the_history():
    files = [
        (f"tb/events.out.tfevents.{at}.vm", lambda at=at: io.BytesIO(event(at, scalar("a", at))))
        for at in (20, 10)
    ]
    found = collect(files, ["a: 7\n"])["a"]
    assert [point.value for point in found.history] == [10, 20]


def test_files_of_metrics_are_stronger():
    files = [
        ("tb/events.out.tfevents.1.vm", lambda: io.BytesIO(event(1, scalar("a", 1)))),
        ("metrics.jsonl", lambda: io.BytesIO(b'{"a": 2}\n')),
    ]
    assert collect(files, [])["a"].value == 2
