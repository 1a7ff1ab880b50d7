"""A process that has a function loaded, and becomes each further call of it.

The first call of a worker is a process like any other. Once the function is loaded, and before it
is called, that process leaves a fork behind, which waits on a socket. For each further call that
one is sent the words, what differs in the environment, and the two pipes to print to: it leaves a
fork behind that waits in its place, and turns into the call. Whatever waits has called nothing,
and belongs to the runner (a subreaper) from when the call before it has ended.
"""

from __future__ import annotations

import _io
import _weakref
import os
import socket
import sys
from contextlib import suppress

from .seeds import Seeds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_MOST = 1 << 20
seeds = Seeds()
_loaded: list[Any] = []
"""Weak references to the files that were open when the function was loaded."""


def serve(descriptor: int, *, offered: bool) -> list[str] | None:
    """Leave a process behind that forks, if `offered` and if that is safe.

    Returns None in this process; the words of a call in each that was forked for one.
    """
    line = socket.socket(fileno=descriptor)
    seeds.keep()
    if not offered or not _safe():
        line.close()
        return None
    # What is in a buffer by now is not the forks' to write.
    _loaded.extend(map(_weakref.ref, _write_out()))
    # Nothing that is unreachable by now is looked at by every fork's first collection.
    import gc

    gc.freeze()
    if not _stay_behind(line):
        gc.unfreeze()
        return None
    try:
        return _wait_for_call(line)
    except BaseException:  # noqa: BLE001 (a fork must not go on as if it were the call)
        os._exit(1)


def end(status: int) -> NoReturn:
    """End as a process does, without taking apart what was loaded: that is shared, and stays."""
    threading = sys.modules.get("threading")
    if threading:
        # It waits for threads that are no daemons.
        threading._shutdown()  # noqa: SLF001
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001
    _finish()
    os._exit(status)


def _write_out() -> list[Any]:
    """Write what the buffers of open files hold, and of what is printed to; the files."""
    import gc

    # Of what was loaded a list was made: to look at it here would copy the page of every object.
    known = [file for each in _loaded if (file := each()) is not None]
    # No isinstance: it runs code of what only pretends to be of a class.
    kind = _io._IOBase  # noqa: SLF001
    files: list[Any] = [
        *known,
        *(each for each in gc.get_objects() if issubclass(type(each), kind)),
    ]
    for file in (sys.stdout, sys.stderr, *files):
        with suppress(Exception):
            file.flush()
    return files


def _finish() -> None:
    """Leave files as the end of an interpreter does, which closes them."""
    for file in _write_out():
        # What compresses or uploads has something to add when it is closed. What it writes to may
        # be a file of these types; it has nothing to add, and has to be open for that.
        if type(file).__module__ != "_io":
            with suppress(Exception):
                file.close()


def _safe() -> bool:
    """Whether nothing is under way that a fork would lack."""
    threading = sys.modules.get("threading")
    if threading and threading.active_count() > 1:
        return False
    torch: Any = sys.modules.get("torch")
    return not (torch and torch.cuda.is_initialized()) and not _in_openmp()


def _in_openmp() -> bool:
    """Whether GNU's OpenMP may have threads, for which it would wait in a fork for ever.

    Other libraries that have threads of their own, such as OpenBLAS, know of forks.
    """
    try:
        if len(os.listdir("/proc/self/task")) == 1:
            return False
        with open("/proc/self/maps", "rb") as maps:
            return any(b"/libgomp" in line for line in maps)
    except OSError:
        return False


def _stay_behind(line: socket.socket) -> bool:
    """Fork; whether this is the fork. The other tells the runner who it is, and lets go."""
    try:
        child = os.fork()
    except OSError:
        # Whoever is called next begins anew.
        line.close()
        return False
    if not child:
        os.setpgid(0, 0)
        return True
    with suppress(OSError):
        # Whichever comes first: no signal to the call's group may reach it.
        os.setpgid(child, child)
    with suppress(OSError):
        line.send(str(child).encode())
    line.close()
    return False


def _wait_for_call(line: socket.socket) -> list[str]:
    """The words of the call that this process has become."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    while True:
        data, descriptors, _, _ = socket.recv_fds(line, _MOST, 2)
        if not data:
            os._exit(0)
        if not _stay_behind(line):
            return _become(data, descriptors)
        for each in descriptors:
            os.close(each)


def _become(data: bytes, descriptors: list[int]) -> list[str]:
    """Turn into the command that was asked for."""
    import json

    for number, descriptor in zip((1, 2), descriptors, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    told = json.loads(data)
    for name in told["unset"]:
        os.environ.pop(name, None)
    os.environ.update(told["set"])
    os.chdir(told["directory"])
    import importlib

    importlib.invalidate_caches()
    seeds.sow()
    words: list[str] = told["words"]
    return words
