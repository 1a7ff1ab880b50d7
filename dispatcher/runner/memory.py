"""A limit on the command's memory, and the kernel's count of processes it killed for memory.

The limit is a control group of the command's own where one can be made (as root, or where the
group is delegated). Elsewhere it is `RLIMIT_DATA`, which holds for each process by itself and
spares the address space that GPU drivers reserve.
"""

from __future__ import annotations

import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_V1 = "/sys/fs/cgroup/memory"
_V2 = "/sys/fs/cgroup"


class ControlGroup:
    """A directory of the control group file system that accounts for memory."""

    def __init__(self, path: str, *, unified: bool) -> None:
        self.path, self._unified = path, unified

    def kills(self) -> int | None:
        """How many processes in it the kernel has killed for memory; None where it can't say."""
        return _counter(self.path + ("/memory.events" if self._unified else "/memory.oom_control"))

    def child(self, name: str, limit: int) -> ControlGroup:
        """A new group below, of `limit` bytes.

        Raises:
            OSError: not allowed, or not possible here.
        """
        if self._unified and "memory" not in _read(self.path + "/cgroup.subtree_control").split():
            raise PermissionError(self.path)
        made = ControlGroup(f"{self.path}/{name}", unified=self._unified)
        os.mkdir(made.path)
        try:
            limit_file = "memory.max" if self._unified else "memory.limit_in_bytes"
            _write(f"{made.path}/{limit_file}", str(limit))
        except OSError:
            os.rmdir(made.path)
            raise
        return made

    def enter(self) -> None:
        """Move this process, and so what it starts from now on, into the group."""
        _write(self.path + "/cgroup.procs", str(os.getpid()))

    def remove(self) -> None:
        """Remove the group. It stays where a process of it does."""
        try:
            os.rmdir(self.path)
        except OSError:
            return


def own_groups() -> list[ControlGroup]:
    """The group this process is in, and the one at the top; empty where there are none."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _existing(_V1, path, unified=False)
    for line in _read("/proc/self/cgroup").splitlines():
        if line.startswith("0::"):
            return _existing(_V2, line[3:], unified=True)
    return []


class MemoryWatch:
    """Limits what is started inside `with`, and tells afterwards what the kernel killed."""

    def __init__(self, name: str, limit: int, *, alone: bool = False) -> None:
        """`alone` says that this process's own control group is a container's."""
        groups = own_groups()
        self._own = groups[0] if groups else None
        self._made = _first_child(groups, name, limit) if limit else None
        self._limit = 0 if self._made else limit
        self.alone = alone or self._made is not None
        """Whether what is killed in the group that is counted is the command's own."""
        self._counted = self._made or self._own
        self._before = self._kills()
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_DATA)

    @property
    def limited(self) -> bool:
        """Whether what is started inside `with` differs from what is started outside."""
        return self._made is not None or bool(self._limit)

    def __enter__(self) -> Self:
        if self._made:
            self._made.enter()
        if self._limit:
            allowed = self._limit if self._hard < 0 else min(self._limit, self._hard)
            resource.setrlimit(resource.RLIMIT_DATA, (allowed, self._hard))
        return self

    def __exit__(self, *_: object) -> None:
        if self._made and self._own:
            self._own.enter()
        if self._limit:
            resource.setrlimit(resource.RLIMIT_DATA, (self._soft, self._hard))

    def killed(self) -> tuple[int, int]:
        """Kills since the start: in the command's control group, and on the whole machine."""
        group, machine = self._kills()
        return group - self._before[0], machine - self._before[1]

    def close(self) -> None:
        """Remove the group that was made, once all its processes have ended."""
        if self._made:
            self._made.remove()

    def _kills(self) -> tuple[int, int]:
        group = self._counted.kills() if self._counted else None
        return group or 0, _counter("/proc/vmstat") or 0


def _first_child(groups: list[ControlGroup], name: str, limit: int) -> ControlGroup | None:
    for group in groups:
        try:
            return group.child(name, limit)
        except OSError:
            continue
    return None


def _existing(mount: str, path: str, *, unified: bool) -> list[ControlGroup]:
    # Inside a container the path may be that of the host, where only the top is visible.
    paths = dict.fromkeys((mount + path.rstrip("/"), mount))
    return [ControlGroup(found, unified=unified) for found in paths if os.path.isdir(found)]


def _counter(path: str) -> int | None:
    for line in _read(path).splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)
