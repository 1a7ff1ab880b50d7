"""What anybody has on the desk: a project in a sandbox, and the command line in it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e.sandboxes import TOOLS

T = TypeVar("T")
PATIENCE = 300
SENDOFF = str(TOOLS / "sendoff")
GATED = """\
import pathlib, time
print("started", flush=True)
gate = pathlib.Path({gate!r})
while not gate.exists():
    time.sleep(0.01)
print("opened", flush=True)
"""


class Desk:
    """A project in a folder that is its owner's home, and the command line in it."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.home, self.project = folder, folder / "project"
        self.project.mkdir(parents=True, exist_ok=True)
        self.env = {**env, "HOME": str(folder)}

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What a command of sendoff prints and exits with."""
        return subprocess.run(
            [SENDOFF, *arguments],
            cwd=self.project,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def done(self, *arguments: str, **env: str) -> str:
        """What a command that succeeds prints."""
        done = self(*arguments, **env)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str, **env: str) -> Any:
        """The document that a command prints."""
        verb, *others = arguments
        done = self(verb, "--json", *others, **env)
        assert done.stdout, (arguments, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def sent(self, *arguments: str, **env: str) -> str:
        """The id of a run that was sent off by this command, which does not wait for it."""
        verb, *others = arguments
        return self.done(verb, "--detach", *others, **env).strip()

    def index(self, run: str, number: int = 0, **env: str) -> Any:
        """An index of a run, as `show` tells it."""
        return self.json("show", run, **env)["indexes"][number]

    def state(self, run: str) -> str:
        """How a run is, as `show` tells it."""
        state: str = self.json("show", run)["state"]
        return state

    @contextmanager
    def started(self, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
        """A command while it runs; it is ended if it is still there after the block."""
        with subprocess.Popen(
            [SENDOFF, *arguments],
            cwd=self.project,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


class GatedDesk(Desk):
    """A desk with a script that waits for its gate: `gated.py`."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder, env)
        self.gate = folder / "gate"
        self.write("gated.py", self.gated())

    def gated(self, then: str = "") -> str:
        """The text of a script that says "started", waits, says "opened", and goes on so."""
        return GATED.format(gate=str(self.gate)) + then

    def clear(self) -> None:
        """Let all go on that waits, and cancel what goes on."""
        self.gate.touch()
        for run in json.loads(self("ps", "--json").stdout or "[]"):
            if run["state"] in ("queued", "running"):
                self("cancel", run["id"])


def environment(sandbox: Path, **others: str) -> dict[str, str]:
    """What a shell with this sandbox active has, and nothing of sendoff or a cloud."""
    ours = ("SENDOFF", "XDG", "AWS", "MINIO", "KUBE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    path = f"{sandbox}/bin:{TOOLS}:/usr/bin:/bin"
    return {**kept, "VIRTUAL_ENV": str(sandbox), "PATH": path, **others}


def until(condition: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)
    return value
