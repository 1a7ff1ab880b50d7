"""The one place where packing and dispatching start other programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from packer.errors import SendoffError

_TAIL = 20


class ProgramFailed(SendoffError):
    """A program we depend on ended with an error, or could not be started."""

    code, phase = "PROGRAM_FAILED", "internal"

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(command, status, output)
        self.command, self.status, self.output = tuple(command), status, output

    def what(self) -> str:
        return f"{Path(self.command[0]).name} failed with exit status {self.status}"

    def evidence(self) -> str:
        return "\n".join(self.output.strip().splitlines()[-_TAIL:])

    def fix(self) -> str:
        return "run it by hand: " + " ".join(self.command)


def run(
    command: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
) -> bytes:
    """Run `command` to its end and return its standard output.

    `env` is added to this process's environment. `timeout` is in seconds.

    Raises:
        ProgramFailed: it could not be started, exited non-zero, or outlasted the time-out.
    """
    merged = {**os.environ, **env} if env else None
    try:
        done = subprocess.run(
            command,
            input=stdin,
            env=merged,
            cwd=cwd,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(command, 124, f"no end after {timeout:.0f} s") from error
    except OSError as error:
        raise ProgramFailed(command, 127, str(error)) from error
    if done.returncode:
        raise ProgramFailed(command, done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout


def detach(command: Sequence[str], *, env: Mapping[str, str], log: Path, stdin: int) -> int:
    """Start `command` in a session of its own, to live on after this process; returns its id.

    `env` is added to this process's environment, `log` takes all it writes, and the descriptor
    `stdin` becomes its standard input.

    Raises:
        ProgramFailed: it could not be started.
    """
    _reap()
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), writing, 0o666),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        started = os.posix_spawn(
            command[0],
            tuple(command),
            {**os.environ, **env},
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE),
        )
    except OSError as error:
        raise ProgramFailed(command, 127, str(error)) from error
    _detached.add(started)
    return started


def detach_main(
    module: str,
    *arguments: str,
    log: Path,
    stdin: int,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> int:
    """As `detach`, of the function `main` of a module, found where this process finds its own.

    `options` are the interpreter's.
    """
    # `-m` would load what finds modules in archives first.
    start = f"import sys; sys.path[:] = sys.argv[1].split(':'); from {module} import main; "
    start += "main(*sys.argv[2:])"
    known = ":".join(entry for entry in sys.path if entry.startswith("/"))
    command = [sys.executable, *options, "-c", start, known, *arguments]
    return detach(command, env=env or {}, log=log, stdin=stdin)


_detached: set[int] = set()


def _reap() -> None:
    """Let go of detached programs that have ended, which would stay as zombies."""
    for started in list(_detached):
        try:
            ended, _ = os.waitpid(started, os.WNOHANG)
        except ChildProcessError:
            ended = started
        if ended:
            _detached.discard(started)


class Background:
    """A program beside this one that says all it has to say with its exit status."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it, without input and output.

        Raises:
            ProgramFailed: it could not be started.
        """
        _reap()
        nothing = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        try:
            self._id = os.posix_spawn(command[0], [*command], os.environ, file_actions=nothing)
        except OSError as error:
            raise ProgramFailed(command, 127, str(error)) from error
        _detached.add(self._id)

    def status(self) -> int:
        """Its exit status, negative for a signal, once it has ended; -1 where that was lost."""
        _detached.discard(self._id)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self._id, 0)[1])
        except ChildProcessError:
            return -1


class Companion:
    """A program kept running that answers requests on its standard output.

    Requests and answers are four bytes of length, little-endian, and so many bytes. It ends with
    the end of its input, so also when this process is killed.
    """

    def __init__(self, command: Sequence[str]) -> None:
        import tempfile

        self._command = command
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        try:
            program = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
            )
        except OSError as error:
            self._said.close()
            raise ProgramFailed(command, 127, str(error)) from error
        self._program = program
        self._requests = cast("IO[bytes]", program.stdin)
        self._answers = cast("IO[bytes]", program.stdout)

    def ask(self, request: bytes) -> bytes:
        """The answer to `request`. One request at a time.

        Raises:
            ProgramFailed: the program has ended.
        """
        try:
            self._requests.write(len(request).to_bytes(4, "little") + request)
            self._requests.flush()
        except BrokenPipeError:
            raise self._ended() from None
        size = int.from_bytes(self._answers.read(4), "little")
        answer = self._answers.read(size)
        if not size or len(answer) < size:
            raise self._ended()
        return answer

    def close(self) -> None:
        """End the program, whatever it is doing."""
        self._program.kill()
        self._program.communicate()
        self._said.close()

    def _ended(self) -> ProgramFailed:
        status = self._program.wait()
        self._said.seek(0)
        return ProgramFailed(self._command, status, self._said.read().decode(errors="replace"))
