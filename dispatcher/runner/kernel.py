"""What Linux tells of processes, through /proc and `prctl`."""

from __future__ import annotations

import os

_PR_SET_CHILD_SUBREAPER = 36
_adopting: list[int] = []
"""This process, once it does."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def adopt_orphans() -> bool:
    """Become the parent of orphaned descendants, as process 1 of a container is.

    So no process of a command escapes, whatever sessions and groups it makes. False where the
    system has no such thing.
    """
    if os.getpid() == 1 or _adopting:
        return True
    import ctypes

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0:
            _adopting.append(os.getpid())
    except (OSError, AttributeError):
        return False
    return bool(_adopting)


def no_children_but(spared: frozenset[int]) -> bool:
    """Whether this process has no children besides those; False where that can't be told.

    Of one that adopts orphans, that says that no descendants are left either.
    """
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return True
    if found is not None or not spared:
        return False
    # The list may lack some while others are ending: what two looks agree on is so.
    return all(_children(os.getpid()) == spared for _ in range(2))


def _children(process: int) -> frozenset[int] | None:
    """The children of a process, where the system lists them; None where it is gone, too."""
    found: set[int] = set()
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children", "rb") as stream:
                found.update(map(int, stream.read().split()))
    except OSError:
        return None
    return frozenset(found)


def family(ancestor: int, spared: frozenset[int] = frozenset()) -> dict[int, int]:
    """As `descendants`, from one to its children. It may lack some while others are ending.

    Of a machine with many processes it looks at those alone that count.
    """
    found: dict[int, int] = {}
    pending = _children(ancestor)
    if pending is None:
        return descendants(ancestor, spared)
    while pending:
        below: set[int] = set()
        for process in pending - spared:
            fields = _stat(str(process))
            if fields and fields[0] != b"Z":
                found[process] = int(fields[21]) * _PAGE
                below |= _children(process) or frozenset()
        pending = frozenset(below - found.keys())
    return found


def descendants(ancestor: int, spared: frozenset[int] = frozenset()) -> dict[int, int]:
    """The living processes below `ancestor`, itself left out: process id → resident bytes.

    Those in `spared` are left out too, and what is below them.
    """
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for name in _processes():
        fields = _stat(name)
        if fields and fields[0] != b"Z" and int(name) not in spared:
            parents[int(name)] = int(fields[1])
            resident[int(name)] = int(fields[21]) * _PAGE
    found: dict[int, int] = {}
    for process, parent in parents.items():
        line, above = [process], parent
        while above not in found and above != ancestor and above in parents:
            line.append(above)
            above = parents[above]
        if above == ancestor or above in found:
            found.update((member, resident[member]) for member in line)
    return found


def _processes() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []


def _stat(process: str) -> list[bytes]:
    try:
        with open(f"/proc/{process}/stat", "rb") as stream:
            # The name may hold spaces and brackets: what counts follows the last bracket.
            return stream.read().rpartition(b") ")[2].split()
    except OSError:
        return []
