"""The command as a process group of its own."""

from __future__ import annotations

import errno
import os
import signal

_KEPT_DEFAULT = (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXFSZ)

LINE = 3
"""The descriptor of a command's line to the runner, where it has one."""


class NotFound(Exception):
    """The command can't be started; `reason` says why, in the system's words."""

    def __init__(self, name: str, reason: str, path: str) -> None:
        super().__init__(name, reason, path)
        self.name, self.reason, self.path = name, reason, path


class Command:
    """A started command: `pid` leads its process group, `out` and `err` are the pipes to read."""

    def __init__(
        self, arguments: list[str], environment: dict[str, str], line: int | None = None
    ) -> None:
        """Start it in the current directory, with no standard input.

        `line` is a descriptor that it gets as `LINE`.

        Raises:
            NotFound
        """
        program = _find(arguments[0], environment.get("PATH", ""))
        self.out, out = os.pipe()
        self.err, err = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1)]
        actions.append((os.POSIX_SPAWN_DUP2, err, 2))
        if line is not None:
            actions.append((os.POSIX_SPAWN_DUP2, line, LINE))
        try:
            self.pid = os.posix_spawn(
                program,
                arguments,
                environment,
                file_actions=actions,
                setpgroup=0,
                setsigdef=_KEPT_DEFAULT,
                setsigmask=[],
            )
        except OSError as error:
            raise NotFound(arguments[0], _words(error), program) from None
        finally:
            for descriptor in (null, out, err):
                os.close(descriptor)

    @classmethod
    def forked(cls, process: int, out: int, err: int) -> Command:
        """One that was started by another process, and belongs to this one."""
        command = cls.__new__(cls)
        command.pid, command.out, command.err = process, out, err
        return command

    def signal(self, number: int) -> bool:
        """Send a signal to the whole group; False where nobody is left in it."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            # All that are left have changed their user: they are there, but not ours to signal.
            return True
        return True


def _find(name: str, path: str) -> str:
    if "/" in name:
        return name
    denied = ""
    for folder in path.split(":"):
        candidate = f"{folder or '.'}/{name}"
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate
            denied = denied or candidate
    if denied:
        raise NotFound(name, "it is not executable", denied)
    raise NotFound(name, f"no such program on PATH={path}", "")


def _words(error: OSError) -> str:
    if error.errno == errno.ENOEXEC:
        return "it is neither a program nor a script with a #! line"
    if error.errno == errno.ENOENT:
        return "no such file, or the interpreter in its #! line is missing"
    if error.errno == errno.E2BIG:
        return "its arguments and environment are too long for the system"
    return error.strerror or str(error)
