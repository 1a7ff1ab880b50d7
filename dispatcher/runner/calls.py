"""Calls of functions, one after another: what the first has loaded need not be loaded again.

The other side is `sendoff.forks` in the image.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket

from .command import LINE, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_CALL = ["-m", "sendoff.call"]
_PATIENCE = 10.0
"""Seconds in which a process that waits must take what it is sent."""
_FRESH = "SENDOFF_FRESH"
"""The variable that asks for a process of its own for each call."""


class Calls:
    """Starts commands; a process that has it loaded becomes one that calls the same again.

    A call has a process of its own in any case, with its own pipes, group and exit status.
    """

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._process = 0
        self._loaded: tuple[list[str], dict[str, str], str] = ([], {}, "")

    def start(self, arguments: list[str], environment: dict[str, str]) -> Command:
        """A started command, in the current directory.

        Raises:
            NotFound
        """
        if arguments[1:3] != _CALL or environment.get(_FRESH):
            return Command(arguments, environment)
        self._hear()
        if self._process and self._loaded[0] == _shape(arguments):
            taken = self._hand_over(arguments, environment)
            if taken:
                return taken
        return self._first(arguments, environment)

    def spared(self) -> frozenset[int]:
        """The process that waits for calls: it outlives them."""
        self._hear()
        return frozenset({self._process} if self._process else ())

    def close(self) -> None:
        """End the process that waits."""
        if self._line:
            self._line.close()
            self._line = None
        if self._process:
            process, self._process = self._process, 0
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _first(self, arguments: list[str], environment: dict[str, str]) -> Command:
        """A process that leaves another behind once its function is loaded."""
        self.close()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(_PATIENCE)
        self._loaded = _shape(arguments), environment, os.getcwd()
        try:
            return Command(arguments, {**environment, "SENDOFF_CALLS": str(LINE)}, theirs.fileno())
        finally:
            theirs.close()

    def _hear(self) -> None:
        """Take note of the process that the latest call has left behind, if it has."""
        if self._line is None or self._process:
            return
        if select.select([self._line], [], [], 0)[0]:
            self._process = _number(self._line)
            if not self._process:
                self.close()

    def _hand_over(self, arguments: list[str], environment: dict[str, str]) -> Command | None:
        """The process that waits, as this command; None where it is gone."""
        assert self._line is not None  # noqa: S101
        base = self._loaded[1]
        message = {
            "words": arguments[len(_CALL) + 1 :],
            "set": _changed(base, environment),
            "unset": [name for name in base if name not in environment],
            "directory": os.getcwd(),
        }
        (out, theirs_out), (err, theirs_err) = os.pipe(), os.pipe()
        try:
            data = json.dumps(message).encode()
            socket.send_fds(self._line, [data], [theirs_out, theirs_err])
        except OSError:
            os.close(out)
            os.close(err)
            self.close()
            return None
        finally:
            os.close(theirs_out)
            os.close(theirs_err)
        # What waited is the call; it says what waits from now on before it begins.
        process, self._process = self._process, 0
        return Command.forked(process, out, err)


def _number(line: socket.socket) -> int:
    """The process id that the other side names; 0 where it has gone, or is not what it was."""
    try:
        return int(line.recv(64) or b"0")
    except (OSError, ValueError):
        return 0


def _shape(arguments: list[str]) -> list[str]:
    """What calls have to have in common: interpreter and import path."""
    paths = [word for word in arguments[len(_CALL) + 1 :] if word.startswith("--path=")]
    return [arguments[0], *paths]


def _changed(base: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if base.get(name) != text}
