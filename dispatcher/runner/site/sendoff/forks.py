"""A process that has a function loaded, and forks for each further call of it.

The first call of a worker is a process like any other. Once the function is loaded, and before it
is called, that process leaves a fork behind, which waits on a socket: for each further call it is
sent the words, what differs in the environment, and the two pipes to print to. The call runs in a
grandchild, so that it belongs to the runner (a subreaper) as if that had started it.
"""

from __future__ import annotations

import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_MOST = 1 << 20


def serve(descriptor: int, *, offered: bool) -> list[str] | None:
    """Leave a process behind that forks, if `offered` and if that is safe.

    Returns None in this process; the words of a call in each that was forked for one.
    """
    line = socket.socket(fileno=descriptor)
    if not offered or not _safe():
        line.close()
        return None
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing that is unreachable by now is looked at by every fork's first collection.
    import gc

    gc.freeze()
    if os.fork():
        gc.unfreeze()
        line.close()
        return None
    try:
        return _wait_for_calls(line)
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
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _safe() -> bool:
    """Whether nothing is under way that a fork would lack."""
    threading = sys.modules.get("threading")
    if threading and threading.active_count() > 1:
        return False
    torch: Any = sys.modules.get("torch")
    return not (torch and torch.cuda.is_initialized())


def _wait_for_calls(line: socket.socket) -> list[str]:
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    line.send(str(os.getpid()).encode())
    while True:
        data, descriptors, _, _ = socket.recv_fds(line, _MOST, 2)
        if not data:
            os._exit(0)
        child = os.fork()
        if not child:
            return _become(line, data, descriptors)
        for each in descriptors:
            os.close(each)
        os.waitpid(child, 0)


def _become(line: socket.socket, data: bytes, descriptors: list[int]) -> list[str]:
    """Fork again, so that the parent may end, and turn into the command that was asked for."""
    import json

    child = os.fork()
    if child:
        line.send(str(child).encode())
        os._exit(0)
    line.close()
    os.setpgid(0, 0)
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
    _reseed()
    words: list[str] = told["words"]
    return words


def _reseed() -> None:
    """Randomness that a fresh process would have, unless the module has set a seed."""
    numpy: Any = sys.modules.get("numpy")
    if not numpy or "numpy.random" not in sys.modules:
        return
    generator = getattr(numpy.random.mtrand, "_rand", None)
    source = getattr(generator, "_bit_generator", None)
    if source is not None and getattr(source, "_seed_seq", None) is not None:
        numpy.random.seed()
