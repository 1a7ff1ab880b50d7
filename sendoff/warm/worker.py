"""A fork of the warm process on its way to being a command."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn, TextIO, cast

from packer.environment.directory_watch import WATCHES
from sendoff.warm.line import Gone, Line
from sendoff.warm.written_pages import WrittenPages

_NOT_TAKEN, _BROKEN = 1, 120
"""The second as Python ends where its output can't be written."""

_told = threading.Event()
"""Whoever gave the command knows how it has ended, and is free to go."""


def become(line: Line, facts: bytes, pages: WrittenPages) -> NoReturn:
    """Be the command that is given on this line, if it is one of the circumstances `facts`."""
    try:
        arguments = _take(line, facts)
    except (OSError, Gone, ValueError, EOFError, TypeError):
        os._exit(_NOT_TAKEN)
    status = _BROKEN
    try:
        status = _run(arguments)
    finally:
        _leave(line, status, pages)


def _take(line: Line, facts: bytes) -> list[str]:
    """Take the place of the process at the other end; the command's arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Keys of a terminal, which the other side hands on, are not for the warm process.
    os.setpgid(0, 0)
    line.say_here()
    (told, arguments, program, environ), descriptors = line.receive_call()
    if told != facts:
        raise Gone
    *streams, here = descriptors
    line.say_ready()
    os.fchdir(here)
    os.close(here)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environb.update(environ)
    sys.argv = [program, *arguments]
    _open_streams()
    threading.Thread(target=_end_with, args=(line,), name="caller", daemon=True).start()
    return list(arguments)


def _open_streams() -> None:
    """What Python makes of the standard streams at its start."""
    sys.stdin = _opened(0, "r", sys.stdin)
    sys.stdout = _opened(1, "w", sys.stdout)
    sys.stderr = _opened(2, "w", sys.stderr)
    sys.stderr.reconfigure(line_buffering=True)


def _opened(number: int, mode: str, like: TextIO) -> TextIOWrapper:
    stream = open(number, mode, encoding=like.encoding, errors=like.errors, closefd=False)  # noqa: SIM115
    return cast("TextIOWrapper", stream)


def _close_streams() -> None:
    """Whoever reads what the command wrote waits for no end of a process that is not the one that
    was started.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.close(nothing)


def _end_with(line: Line) -> None:
    """A command that was killed is over at once, whatever it was doing."""
    line.wait_for_end()
    if not _told.is_set():
        os.kill(os.getpid(), signal.SIGKILL)


def _run(arguments: list[str]) -> int:
    from sendoff.command_line import INTERRUPTED, run

    try:
        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BaseException:  # noqa: BLE001 (as Python itself does with what nobody has caught)
        sys.excepthook(*sys.exc_info())
        return 1


def _leave(line: Line, status: int, pages: WrittenPages) -> NoReturn:
    """End as Python does, but for taking modules apart that go with the process anyhow."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 (as multiprocessing does after a fork)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = _BROKEN
    _told.set()
    _close_streams()
    with suppress(OSError):
        line.send_status(status)
    # Whoever gave the command has its answer: what is left is for the next one.
    pages.mark()
    WATCHES.offer()
    os._exit(status)
