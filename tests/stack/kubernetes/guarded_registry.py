"""A registry that wants a password, on loopback, where containerd speaks plain http."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.ports import free_ports
from tests.stack.programs import program


@contextmanager
def guarded_registry(folder: Path) -> Iterator[str]:
    """Its address."""
    port = free_ports(["registry"])["registry"]
    words = subprocess.run(
        [str(program("htpasswd")), "-Bbn", "alice", "wonderland"], capture_output=True, check=True
    )
    (folder / "htpasswd").write_bytes(words.stdout)
    (folder / "config.yml").write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    )
    command = [str(program("docker-registry")), "serve", str(folder / "config.yml")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/v2/")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 (loopback)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the registry did not start")
