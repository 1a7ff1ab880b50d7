"""Commands beside a warm process of their own, made to wait wherever a test wants to look."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

SENDOFF = str(Path(sys.executable).with_name("sendoff"))
_PATIENCE = 60.0
_AGAIN = 5.0


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


class Warmth:
    """A user's folders, with a project; the path of a socket may be no longer than 107 bytes."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="warm-"))
        self.home.chmod(0o700)
        self.project = self.home / "project"
        self.project.mkdir()
        self.folder = self.home / "sendoff"
        names = ("CACHE_HOME", "DATA_HOME", "STATE_HOME", "CONFIG_HOME")
        self.env = {
            **{name: value for name, value in os.environ.items() if name != "CI"},
            **{f"XDG_{name}": str(self.home / name.lower()) for name in names},
            "XDG_RUNTIME_DIR": str(self.home),
            "SENDOFF_WARM": "5",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            os.kill(server, signal.SIGKILL)
        # One may just be starting, and ends where its folder is gone.
        until(lambda: shutil.rmtree(self.home, ignore_errors=True) or not self.home.exists())

    @property
    def servers(self) -> list[int]:
        """Ids of warm processes that live."""
        told = [path.read_text().strip() for path in self.folder.glob("warm-*.lock")]
        return [int(each) for each in told if each and _lives(int(each))]

    @property
    def sockets(self) -> list[Path]:
        return [path for path in self.folder.glob("warm-*") if path.is_socket()]

    def ready(self) -> int:
        """Have a warm process; its id."""
        while not self.sockets:
            begun = time.monotonic()
            assert self.run("ps").returncode == 0
            # One that just missed a change of a source file ends, and another has to be started.
            until(lambda begun=begun: self.sockets or time.monotonic() > begun + _AGAIN)
        return self.servers[0]

    def standing_by(self) -> tuple[int, int]:
        """The same with nothing to do: its id, and that of its fork that waits."""
        server = self.ready()
        until(lambda: [state(each) for each in (server, *forks(server))] == ["S", "S"])
        return server, forks(server)[0]

    def run(
        self, *arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SENDOFF, *arguments],
            env=self.env | (env or {}),
            cwd=cwd or self.project,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command that waits for somebody to write its settings."""
        if not self.settings.exists():
            os.mkfifo(self.settings)
        return subprocess.Popen(
            command or (SENDOFF, "ps"),
            env=self.env,
            cwd=self.project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def let_go(self) -> None:
        """Let a command that waits go on."""
        with self.settings.open("w"):
            self.settings.unlink()

    @property
    def settings(self) -> Path:
        return self.project / "sendoff.toml"


def forks(process: int) -> list[int]:
    """The forks of a warm process: commands, and one that waits for the next."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(each) for each in found.split()]


def commands(process: int) -> list[int]:
    """Those that are commands: each has a process group of its own."""
    return [each for each in forks(process) if _group(each) == each]


def _group(process: int) -> int:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return 0


def state(process: int) -> str:
    """A letter as in proc(5); "X" where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _lives(process: int) -> bool:
    return state(process) not in "XZ"
