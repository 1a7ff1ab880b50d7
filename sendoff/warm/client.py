"""Hands this process's command over to a warm process: signals go there, the status comes back.

Whatever goes wrong before the other side is ready means that the command is done here, as if there
were no warm process.
"""

from __future__ import annotations

# What `signal` makes names of, which alone takes as long as a command to be handed over.
import _signal  # type: ignore[import-not-found]
import os
import sys
import time

from sendoff.warm import circumstances
from sendoff.warm.line import Gone, Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SERVE = "--keep-warm"
"""The argument that makes a `sendoff` the warm process; its socket and minutes follow."""

_SERVED = frozenset(
    {
        "run",
        "sweep",
        "pack",
        "rerun",
        "reproduce",
        "ps",
        "show",
        "logs",
        "wait",
        "results",
        "get",
        "cancel",
        "diff",
    }
)
_HELP = frozenset({"-h", "--help", "--version"})
_MOST = 8
"""Warm processes of one user: circumstances that never come again are not prepared for."""
_KILL = 9
_BEGINS = 3.0
"""Seconds within which a warm process is there; usually half a second."""
_BESIDES = (b"PATH", b"HOME", b"XDG_RUNTIME_DIR")


class Handover:
    """One command, to be done by a warm process where there is one."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._facts = circumstances.told() if _may_be_served(arguments) else None
        self._socket = circumstances.place(self._facts) if self._facts else None

    def status(self) -> int | None:
        """The exit status of the command, done by a warm process; None where there is none.

        Where a signal has ended the command, the same ends this process.
        """
        if self._facts is None or self._socket is None:
            return None
        try:
            line = Line.to(self._socket)
            if not line.is_own():
                return None
            process = self._hand_over(line, self._facts, self._socket)
        except (OSError, Gone):
            return None
        return _follow(line, process)

    def prepare(self) -> None:
        """Start a warm process for the next command. It costs what starting any program costs."""
        if self._facts is None or self._socket is None:
            return
        if len(os.listdir(os.path.dirname(self._socket))) > 2 * _MOST or _begun(self._socket):
            return
        environ = circumstances.lasting()
        environ |= {name: os.environb[name] for name in _BESIDES if name in os.environb}
        # The same interpreter, options and script as this process has.
        program = sys.orig_argv[: len(sys.orig_argv) - len(self._arguments)]
        minutes = os.environ.get(circumstances.SWITCH, "")
        command = [sys.executable, *program[1:], SERVE, self._socket, minutes]
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        try:
            os.posix_spawn(sys.executable, command, environ, file_actions=nothing, setsid=True)
        except OSError:
            return

    def _hand_over(self, line: Line, facts: bytes, path: str) -> int:
        """The process that is ready, and was told to go."""
        here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            process = line.other()
            call = (facts, self._arguments, sys.argv[0], dict(os.environb))
            line.send_call(call, (0, 1, 2, here))
            line.say_go()
        except TimeoutError:
            # It is stopped, or worse: the next command is not to wait for it again.
            _remove(path)
            raise
        finally:
            os.close(here)
        return process


def _follow(line: Line, process: int) -> int:
    """Be the command for whoever looks: what is sent to this process reaches the other one."""
    last = _KILL

    def forward(number: int, send: Callable[[int, int], None]) -> None:
        def handle(*_: object) -> None:
            nonlocal last
            last = number
            _quietly(send, process, number)

        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, handle)

    def pause(*_: object) -> None:
        _quietly(os.killpg, process, _signal.SIGSTOP)
        os.kill(os.getpid(), _signal.SIGSTOP)
        _quietly(os.killpg, process, _signal.SIGCONT)

    # Keys of a terminal are for all that the command has started, too.
    forward(_signal.SIGINT, os.killpg)
    forward(_signal.SIGQUIT, os.killpg)
    forward(_signal.SIGTERM, os.kill)
    forward(_signal.SIGHUP, os.kill)
    if _signal.getsignal(_signal.SIGTSTP) == _signal.SIG_DFL:
        _signal.signal(_signal.SIGTSTP, pause)
    try:
        return line.status()
    except Gone:
        if last != _KILL:
            _signal.signal(last, _signal.SIG_DFL)
        os.kill(os.getpid(), last)
        return 128 + last


def _quietly(send: Callable[[int, int], None], process: int, number: int) -> None:
    """It may just have ended."""
    try:
        send(process, number)
    except ProcessLookupError:
        return


def _may_be_served(arguments: list[str]) -> bool:
    if os.environ.get(circumstances.SWITCH) == "0" or os.environ.get("CI"):
        return False
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return bool(own) and own[0] in _SERVED and not _HELP.intersection(own)


def _begun(path: str) -> bool:
    """Whether a warm process is on its way to this socket, or has just failed to get there."""
    try:
        return abs(time.time() - os.stat(path + ".lock").st_mtime) < _BEGINS
    except FileNotFoundError:
        return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
