"""A pod without a cluster: the runner of an image, its Secret, and a store to keep results in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import minio as minio_package
import typing_extensions
import urllib3

from dispatcher.run import Manifest
from dispatcher.runner.s3_store import S3Store
from dispatcher.runner_tree import runner_tree
from packer.image_paths import RUNNER, WORKSPACE, site_packages
from packer.record import decode
from tests import minio

DIGEST = "sha256:" + "1" * 64
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
LIBRARY = (minio_package, urllib3, certifi, typing_extensions)


@dataclass
class Pod:
    """One container, as the kubelet would start it."""

    folder: Path
    url: str
    store: S3Store
    environment: dict[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()
    """A command that becomes the container's."""

    @property
    def image(self) -> Path:
        return self.folder / "image"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    def code(self, **files: str) -> None:
        """Put modules into the image's project."""
        for name, text in files.items():
            path = self.image / WORKSPACE[1:] / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def tell(self, *commands: list[str], **assignment: Any) -> None:
        """Write the Secret."""
        told = {
            "format": "sendoff.pod/1",
            "run": "test-run",
            "store": {"kind": "s3", "url": self.url, "region": minio.REGION},
            "inputs": [{"command": command, "digest": DIGEST} for command in commands],
            "scratch": str(self.scratch),
            "image": str(self.image),
            "patience": 15,
            **assignment,
        }
        self.config.mkdir(exist_ok=True)
        (self.config / "assignment.json").write_text(json.dumps(told))
        self.authorize()

    def authorize(self, **credentials: str) -> None:
        """Replace the credentials as the kubelet does: with one rename."""
        given = {"access_key": minio.USER, "secret_key": minio.PASSWORD, **credentials}
        temporary = self.config / "incoming"
        temporary.write_text(json.dumps(given))
        temporary.rename(self.config / "credentials.json")

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Start the container's command."""
        self.scratch.mkdir(exist_ok=True)
        return subprocess.Popen(
            [*self.within, sys.executable, "-I", "-S", str(self.image / RUNNER[1:]), "pod"],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
                "SENDOFF_POD_CONFIG": str(self.config),
                "SENDOFF_NODE": "node-1",
                **self.environment,
                **environment,
            },
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *commands: list[str], wait: float = 60, **assignment: Any) -> int:
        """Tell it the assignment, run it, and return its exit status."""
        self.tell(*commands, **assignment)
        return self.end(self.start(), wait)

    def end(self, process: subprocess.Popen[str], wait: float = 60) -> int:
        """Its exit status; `out` and `err` are what it printed, `peak` the bytes it took."""
        watch = threading.Thread(target=self._watch, args=(process,))
        watch.start()
        try:
            self.out, self.err = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.kill()
            self.out, self.err = process.communicate()
            raise AssertionError(f"it did not end: {self.err}") from None
        watch.join()
        return process.returncode

    out = err = ""
    peak = 0

    def _watch(self, process: subprocess.Popen[str]) -> None:
        # What the kernel remembers as the peak, looked at until there is nothing more to see.
        self.peak = 0
        while process.poll() is None:
            with suppress(OSError):
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self.peak = int(line.split()[1]) * 1024
            time.sleep(0.01)

    def key(self, path: str) -> str:
        return f"runs/test-run/{path}"

    def manifest(self, index: int = 0, name: str = "") -> Manifest:
        """What was committed."""
        key = self.key(f"{index}/{name or 'manifest.json'}")
        return decode(self.store.get(key), Manifest)

    def log(self, index: int = 0, attempt: int = 1) -> list[list[Any]]:
        """The log's lines."""
        chunks = list(self.store.list(self.key(f"{index}/{attempt}/log/")))
        assert chunks == [
            self.key(f"{index}/{attempt}/log/{n:06}.jsonl") for n in range(len(chunks))
        ]
        return [json.loads(line) for key in chunks for line in self.store.get(key).splitlines()]

    def text(self, stream: str = "out", index: int = 0, attempt: int = 1) -> str:
        return "".join(text for _, name, text in self.log(index, attempt) if name == stream)


def make(folder: Path, url: str, store: Any) -> Pod:
    """A pod of an image with the runner, its libraries, and an empty project."""
    image = folder / "image"
    for path, content in runner_tree().items():
        file = image / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    library = image / RUNNER[1:] / site_packages(MINOR)
    library.mkdir(parents=True)
    for package in LIBRARY:
        source = Path(package.__file__ or "")
        source = source.parent if source.name == "__init__.py" else source
        (library / source.name).symlink_to(source)
    made = Pod(folder, url, store)
    made.code(README="")
    return made
