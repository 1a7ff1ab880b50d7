"""A real MinIO of the test's own, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.stack.programs import program

USER, PASSWORD = "test-root", "test-root-password"
REGION = "eu-test-1"
BUCKET = "results"


@dataclass(frozen=True)
class Server:
    """A running MinIO with one bucket."""

    port: int
    process: subprocess.Popen[bytes]
    data: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address of a store there."""
        return f"{self.endpoint}/{BUCKET}"

    def through(self, port: int, prefix: str = "") -> str:
        """The address of the same store at another port of this machine."""
        return f"http://127.0.0.1:{port}/{BUCKET}" + (f"/{prefix}" if prefix else "")


@contextmanager
def server(folder: Path, port: int = 0) -> Iterator[Server]:
    """A MinIO that keeps its data in `folder`; it ends with the block.

    Raises:
        Unavailable: MinIO can't be built here.
    """
    binary = program("minio")
    port = port or _free_port()
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
        "MINIO_REGION": REGION,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
    }
    address = f"127.0.0.1:{port}"
    command = [str(binary), "server", "--quiet", f"--address={address}", str(folder / "data")]
    (folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _await(port, process, folder / "log")
        yield Server(port, process, folder / "data")
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            # It answers so to strangers; before it is ready, it answers 503.
            connection.request("GET", f"/{BUCKET}")
            if connection.getresponse().status == 403:
                return
        except OSError:
            pass
        finally:
            connection.close()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
