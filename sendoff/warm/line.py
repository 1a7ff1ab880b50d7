"""The line between a command and the process that does it.

1. The other side sends HERE and its process id, in 4 bytes. Nothing is given to one that is not:
   it would keep the command's output open.
2. The command sends what it is, with four descriptors: the standard streams and its directory
   (see `packer.parcel`).
3. The other side sends READY. Until then the command may go another way, so nothing has been done.
4. The command sends GO, and keeps the line open as long as it lives.
5. The other side sends the exit status in one byte, or is gone without: something has killed it.

Numbers are little-endian.
"""

from __future__ import annotations

# The class alone: the module around it takes longer to load than a command to be handed over.
import _socket
import os
import sys

from packer import parcel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HERE, READY, GO = b"h", b"r", b"g"
PATIENCE = 1.0
"""Seconds for each step before the other side is ready, all of which takes a few milliseconds."""

_ID = 4


class Gone(Exception):
    """The other side has ended the line."""


class Line:
    """One end of it."""

    def __init__(self, end: _socket.socket) -> None:
        self._end = end
        end.settimeout(PATIENCE)

    @classmethod
    def to(cls, path: str) -> Line:
        """A line to whoever listens there.

        Raises:
            OSError: nobody does.
        """
        line = cls(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM))
        line._end.connect(path)
        return line

    def is_own(self) -> bool:
        """Whether the other side is of the same user (socket(7), SO_PEERCRED)."""
        found = self._end.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return int.from_bytes(found[4:8], sys.byteorder) == os.geteuid()

    def send_call(self, call: Any, descriptors: tuple[int, ...]) -> None:
        """Send what a command is, and copies of these descriptors."""
        parcel.send(self._end, call, descriptors)

    def receive_call(self) -> tuple[Any, list[int]]:
        """What a command is, and its descriptors, which no further program gets."""
        return parcel.receive(self._end)

    def say_here(self) -> None:
        """Tell that this process takes commands."""
        self._send(HERE + os.getpid().to_bytes(_ID, "little"))

    def other(self) -> int:
        """The id of the process at the other end.

        Raises:
            Gone, OSError: there is none, or none of ours.
        """
        answer = self._receive(1 + _ID)
        if not answer.startswith(HERE):
            raise Gone
        return int.from_bytes(answer[1:], "little")

    def say_ready(self) -> None:
        """Tell that this process can be the command, and wait until it may.

        Raises:
            Gone, OSError: it may not.
        """
        self._send(READY)
        # On a busy machine it may take its time: once it has said so, it relies on this process.
        self._end.settimeout(None)
        if self._receive(1) != GO:
            raise Gone

    def say_go(self) -> None:
        """Wait until the other side is ready, and tell it to go; then there is no way back.

        Raises:
            Gone, OSError: it can't be the command.
        """
        if self._receive(1) != READY:
            raise Gone
        self._send(GO)
        self._end.settimeout(None)

    def send_status(self, status: int) -> None:
        """Say how the command has ended."""
        self._send(bytes([status & 0xFF]))

    def status(self) -> int:
        """How the command has ended.

        Raises:
            Gone: it was killed.
        """
        return self._receive(1)[0]

    def wait_for_end(self) -> None:
        """Return when the other side lives no more."""
        try:
            while self._end.recv(64):
                pass
        except OSError:
            return

    def close(self) -> None:
        """End it."""
        self._end.close()

    def _send(self, data: bytes) -> None:
        parcel.write(self._end, data)

    def _receive(self, size: int) -> bytes:
        try:
            return parcel.read(self._end, size)
        except (ConnectionError, EOFError):
            raise Gone from None
