from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sendoff.warm.line import Line
from tests.unit.sendoff.warm.warmth import Warmth, state, until

NOBODY = 65_534


def test_it_ends_when_nobody_needs_it(warmth: Warmth) -> None:
    warmth.env["SENDOFF_WARM"] = "0.01"
    server = warmth.ready()
    until(lambda: state(server) in "XZ")
    assert not warmth.sockets


def test_it_ends_with_its_folder(warmth: Warmth) -> None:
    server = warmth.ready()
    warmth.sockets[0].unlink()
    until(lambda: state(server) in "XZ")


def test_there_is_one_however_many_begin(warmth: Warmth) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: warmth.run("ps").returncode, range(8)))
    assert done == [0] * 8
    until(lambda: warmth.sockets)
    assert len(warmth.servers) == 1


def test_it_is_of_one_time(warmth: Warmth) -> None:
    """What was loaded and what is there now are never mixed."""
    late = warmth.home / "late"
    late.mkdir()
    (late / "late.pth").write_text("")
    warmth.env["PYTHONPATH"] = str(late)
    os.utime(late, (1, 1))
    server, _ = warmth.standing_by()
    (late / "another.py").write_text("")
    assert warmth.run("ps").returncode == 0
    assert warmth.standing_by()[0] == server
    # As a project does that is installed editable, whose files are written all the time.
    (late / "yaml").mkdir()
    assert warmth.run("ps").returncode == 0
    until(lambda: state(server) in "XZ")


def test_it_ends_where_what_it_loaded_has_changed(tmp_path: Path) -> None:
    """In a process of its own, which imports a module that is then written anew."""
    module = tmp_path / "late.py"
    module.write_text("")
    os.utime(module, (1, 1))
    code = (
        "import late; from pathlib import Path; from sendoff.warm.loaded import Loaded; "
        "loaded = Loaded(); print(loaded.watch(), loaded.unchanged()); "
        "Path(late.__file__).write_text('x'); print(loaded.unchanged())"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stdout == "True True\nFalse\n"


def test_it_starts_no_thread_and_holds_nothing_of_its_first_command(warmth: Warmth) -> None:
    warmth.env["AWS_SECRET_ACCESS_KEY"] = "very-secret"
    server, _ = warmth.standing_by()
    assert len(list(Path(f"/proc/{server}/task").iterdir())) == 1
    assert b"very-secret" not in Path(f"/proc/{server}/environ").read_bytes()
    kept = {str(path.readlink()) for path in Path(f"/proc/{server}/fd").iterdir()}
    ours = ("socket:", "pipe:", "anon_inode:inotify")
    assert {each for each in kept if not each.startswith(ours)} == {
        "/dev/null",
        f"{warmth.sockets[0]}.lock",
    }


def test_it_loads_all_of_sendoff_that_a_command_may_need() -> None:
    """In a process of its own: some modules are programs, and must not be among them."""
    code = (
        "import sys, threading; from sendoff.warm import server; before = set(sys.modules); "
        "server._load(); assert threading.active_count() == 1; "
        "print('docker' in sys.modules, 'kubernetes' in sys.modules, 'matplotlib' in sys.modules); "
        "import importlib; print([n for n in server._modules() if n not in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False False\n[]\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_users_socket_is_not_spoken_to() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        Path(path).chmod(0o777)
        ready, done = os.pipe()
        process = os.fork()
        if not process:
            os.setuid(NOBODY)
            listener.listen()
            os.write(done, b"!")
            signal.pause()
        os.read(ready, 1)
        try:
            line = Line.to(path)
            assert not line.is_own()
            line.close()
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            listener.close()
            os.close(ready)
            os.close(done)
