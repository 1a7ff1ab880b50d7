"""Commands that a warm process does, and what becomes of them when anything of it breaks."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from tests.unit.sendoff.warm.warmth import SENDOFF, Warmth, commands, state, until

BROKEN = "[broken\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("ps", "--json"),
        ("ps", "--no-such-option"),
        ("show", "nothing"),
        ("logs", "@last", "--json"),
    ],
)
def test_a_warm_process_says_what_a_cold_one_says(
    warmth: Warmth, arguments: tuple[str, ...]
) -> None:
    cold = warmth.run(*arguments, env={"SENDOFF_WARM": "0"})
    warmth.ready()
    warm = warmth.run(*arguments)
    assert (warm.returncode, warm.stdout, warm.stderr) == (
        cold.returncode,
        cold.stdout,
        cold.stderr,
    )


def test_a_command_is_done_by_a_fork_of_the_warm_process(warmth: Warmth) -> None:
    server, command = _waiting(warmth)
    (worker,) = commands(server)
    assert Path(f"/proc/{worker}/cwd").readlink() == warmth.project
    warmth.let_go()
    assert command.wait(60) == 0
    until(lambda: not commands(server))


def test_variables_and_directory_are_those_of_the_command(warmth: Warmth) -> None:
    warmth.ready()
    other = warmth.home / "other"
    other.mkdir()
    (other / "sendoff.toml").write_text(BROKEN)
    assert "INVALID" in warmth.run("ps", "--json", cwd=other).stdout
    assert warmth.run("ps", "--json").returncode == 0
    wrong = warmth.run("ps", "--json", env={"SENDOFF_TIMEOUT": "soon"})
    assert "SENDOFF_TIMEOUT" in wrong.stdout


@pytest.mark.parametrize(
    "before", ["umask 077", "ulimit -n 100", "ulimit -c 0; ulimit -t 500", "renice -n 5 $$"]
)
def test_a_command_of_other_circumstances_is_not_taken(warmth: Warmth, before: str) -> None:
    server = warmth.ready()
    command = warmth.start("sh", "-c", f"{before} >/dev/null; exec {SENDOFF} ps")
    until(lambda: _waits_for_settings(command.pid))
    assert not commands(server)
    warmth.let_go()
    assert command.wait(60) == 0


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"SENDOFF_WARM": "0"}])
def test_none_is_started_where_none_is_wanted(warmth: Warmth, variables: dict[str, str]) -> None:
    assert warmth.run("ps", env=variables).returncode == 0
    assert not warmth.folder.exists()


@pytest.mark.parametrize("arguments", [("--help",), ("ps", "--help"), ("--version",), ("config",)])
def test_none_is_started_for_a_word_of_help(warmth: Warmth, arguments: tuple[str, ...]) -> None:
    warmth.run(*arguments)
    assert not warmth.folder.exists()


def test_none_is_started_where_others_may_write(warmth: Warmth) -> None:
    warmth.folder.mkdir()
    warmth.folder.chmod(0o770)
    assert warmth.run("ps").returncode == 0
    assert not list(warmth.folder.iterdir())


def test_a_file_that_only_the_command_has_open_keeps_it_cold(warmth: Warmth) -> None:
    server = warmth.ready()
    command = warmth.start("bash", "-c", f"exec {SENDOFF} logs <(echo)")
    until(lambda: _waits_for_settings(command.pid))
    assert not commands(server)
    warmth.let_go()
    command.wait(60)


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1)]
    )
    def test_end_it_as_they_end_a_cold_one(
        self, warmth: Warmth, number: signal.Signals, status: int
    ) -> None:
        server, command = _waiting(warmth)
        command.send_signal(number)
        assert command.wait(60) == status
        until(lambda: not commands(server))

    def test_that_kill_the_fork_kill_the_command(self, warmth: Warmth) -> None:
        server, command = _waiting(warmth)
        os.kill(commands(server)[0], signal.SIGKILL)
        assert command.wait(60) == -signal.SIGKILL

    def test_that_kill_the_command_kill_the_fork(self, warmth: Warmth) -> None:
        server, command = _waiting(warmth)
        command.kill()
        command.wait(60)
        until(lambda: not commands(server))


class TestBroken:
    def test_a_killed_one_leaves_the_command_that_it_has_begun(self, warmth: Warmth) -> None:
        server, command = _waiting(warmth)
        os.kill(server, signal.SIGKILL)
        warmth.let_go()
        assert command.wait(60) == 0

    def test_a_killed_one_is_replaced(self, warmth: Warmth) -> None:
        server = warmth.ready()
        os.kill(server, signal.SIGKILL)
        until(lambda: state(server) in "XZ")
        assert warmth.run("ps").returncode == 0
        until(lambda: warmth.run("ps").returncode == 0 and warmth.servers)
        assert warmth.servers != [server]

    def test_one_that_is_stopped_is_waited_for_once(self, warmth: Warmth) -> None:
        stopped = warmth.standing_by()
        for each in stopped:
            os.kill(each, signal.SIGSTOP)
        assert warmth.run("ps").returncode == 0
        assert not warmth.sockets
        for each in stopped:
            os.kill(each, signal.SIGCONT)

    @pytest.mark.parametrize("answer", [b"", b"h", b"x\0\0\0\0", b"h\1\0\0\0x"])
    def test_one_that_answers_nonsense_is_not_believed(self, warmth: Warmth, answer: bytes) -> None:
        server = warmth.ready()
        (path,) = warmth.sockets
        os.kill(server, signal.SIGKILL)
        until(lambda: state(server) in "XZ")
        path.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            thread = threading.Thread(target=_answer, args=(listener, answer))
            thread.start()
            done = warmth.run("ps")
            thread.join()
        assert done.returncode == 0


class TestTerminal:
    def test_is_the_commands_own(self, warmth: Warmth) -> None:
        cold = _at_terminal(warmth, "0")
        warmth.ready()
        assert _at_terminal(warmth, "5") == cold
        assert b"\x1b[" in cold

    def test_ends_it_by_ctrl_c(self, warmth: Warmth) -> None:
        server = warmth.ready()
        process, terminal = _in_terminal(warmth, "5")
        until(lambda: _waits_below(server))
        os.write(terminal, b"\x03")
        _, status = os.waitpid(process, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 130

    def test_stops_it_by_ctrl_z_with_all_that_it_does(self, warmth: Warmth) -> None:
        server = warmth.ready()
        process, terminal = _in_terminal(warmth, "5")
        until(lambda: _waits_below(server))
        (worker,) = commands(server)
        os.write(terminal, b"\x1a")
        _, status = os.waitpid(process, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        until(lambda: state(worker) == "T")
        os.kill(process, signal.SIGCONT)
        until(lambda: state(worker) != "T")
        warmth.let_go()
        _, status = os.waitpid(process, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 0


def _at_terminal(warmth: Warmth, minutes: str) -> bytes:
    """What `sendoff show nothing` shows on a terminal."""
    process, terminal = _in_terminal(warmth, minutes, "show", "nothing", wait=False)
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break
    os.waitpid(process, 0)
    os.close(terminal)
    return said


def _in_terminal(
    warmth: Warmth, minutes: str, *arguments: str, wait: bool = True
) -> tuple[int, int]:
    if wait:
        os.mkfifo(warmth.project / "sendoff.toml")
    ours, theirs = pty.openpty()
    settings = termios.tcgetattr(theirs)
    settings[3] |= termios.ISIG
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    # A shell's part: a session with this terminal, and its foreground group.
    program = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, SENDOFF, *(arguments or ("ps",))]
    actions = [(os.POSIX_SPAWN_DUP2, theirs, number) for number in range(3)]
    environ = warmth.env | {"SENDOFF_WARM": minutes, "TERM": "xterm", "PWD": str(warmth.project)}
    before = Path.cwd()
    os.chdir(warmth.project)
    try:
        process = os.posix_spawn(sys.executable, command, environ, file_actions=actions)
    finally:
        os.chdir(before)
        os.close(theirs)
    return process, ours


def _answer(listener: socket.socket, answer: bytes) -> None:
    end, _ = listener.accept()
    with end:
        end.sendall(answer)
        if answer:
            # Never says more; the command is to give up by itself.
            while end.recv(1 << 16):
                pass


def _waiting(warmth: Warmth) -> tuple[int, subprocess.Popen[bytes]]:
    """A warm process, and a command of it that waits for its settings."""
    while True:
        server, command = warmth.ready(), warmth.start()
        try:
            until(lambda server=server: _waits_below(server))
        except FileNotFoundError:
            # Another test has written beside the sources just now, and the process has ended.
            warmth.let_go()
            command.wait()
        else:
            return server, command


def _waits_below(server: int) -> bool:
    return any(map(_waits_for_settings, commands(server)))


def _waits_for_settings(process: int) -> bool:
    """Whether a process waits for somebody to open the pipe that its settings are."""
    try:
        return (
            "fifo" in Path(f"/proc/{process}/wchan").read_text()
            or "wait_for_partner" in Path(f"/proc/{process}/wchan").read_text()
        )
    except OSError:
        return False
