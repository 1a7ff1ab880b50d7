"""A value and open files, handed from one process to another of the same user and Python.

Eight bytes of length, little-endian, come with the descriptors; then so many bytes, made by
marshal, which both sides have in the same version.
"""

from __future__ import annotations

# The class alone: the module around it takes longer to load than a parcel to be handed over.
import _socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LENGTH = 8


def send(end: _socket.socket, value: Any, descriptors: tuple[int, ...]) -> None:
    """Send a value of plain types and copies of these descriptors.

    Raises:
        OSError: nobody takes it.
    """
    import marshal

    data = marshal.dumps(value)
    copies = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, copies)]
    end.sendmsg([len(data).to_bytes(_LENGTH, "little")], rights)
    write(end, data)


def receive(end: _socket.socket) -> tuple[Any, list[int]]:
    """A value and its descriptors, which no further program gets.

    Raises:
        EOFError: the other side has ended, or ended amid it.
        OSError: nothing came in time.
    """
    import marshal

    room = _socket.CMSG_SPACE(64)
    head, parts, _, _ = end.recvmsg(_LENGTH, room, _socket.MSG_CMSG_CLOEXEC)
    copies = b"".join(data for _, kind, data in parts if kind == _socket.SCM_RIGHTS)
    numbers = [copies[at : at + 4] for at in range(0, len(copies), 4)]
    size = int.from_bytes(head + read(end, _LENGTH - len(head)), "little")
    value = marshal.loads(read(end, size))  # noqa: S302 (from the same user)
    return value, [int.from_bytes(number, sys.byteorder) for number in numbers]


def write(end: _socket.socket, data: bytes) -> None:
    """Send all of it; each piece has the socket's time-out.

    Raises:
        OSError: nobody takes it.
    """
    view = memoryview(data)
    while view:
        view = view[end.send(view) :]


def read(end: _socket.socket, size: int) -> bytes:
    """So many bytes.

    Raises:
        EOFError: the other side has ended before.
        OSError: nothing came in time.
    """
    data = b""
    while len(data) < size:
        piece = end.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
