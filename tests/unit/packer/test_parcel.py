"""What is handed from one process to another."""

import os
import socket
import threading

import pytest

from packer import parcel


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_value_and_open_files_arrive(ends, tmp_path):
    path = tmp_path / "handed"
    path.write_text("over")
    value = {"name": "a", "many": (1, 2.5, None, True), "raw": {b"x": b"\xff"}}
    with path.open() as stream:
        parcel.send(ends[0], value, (stream.fileno(), stream.fileno()))
    got, descriptors = parcel.receive(ends[1])
    assert got == value
    assert [os.pread(each, 9, 0) for each in descriptors] == [b"over", b"over"]
    assert not any(os.get_inheritable(each) for each in descriptors)
    for each in descriptors:
        os.close(each)


def test_one_follows_another(ends):
    parcel.send(ends[0], "first", ())
    parcel.send(ends[0], "second", ())
    assert [parcel.receive(ends[1]), parcel.receive(ends[1])] == [("first", []), ("second", [])]


def test_one_that_is_larger_than_the_sockets_room(ends):
    large = os.urandom(8 << 20)
    sender = threading.Thread(target=parcel.send, args=(ends[0], large, ()))
    sender.start()
    assert parcel.receive(ends[1])[0] == large
    sender.join()


@pytest.mark.parametrize("cut", [b"", b"\x05", b"\x40" + bytes(7) + b"half"])
def test_an_end_amid_it(ends, cut):
    ends[0].sendall(cut)
    ends[0].close()
    with pytest.raises(EOFError):
        parcel.receive(ends[1])


def test_nobody_takes_it(ends):
    ends[1].close()
    with pytest.raises(OSError, match="pipe"):
        parcel.send(ends[0], "anything", ())
