"""A real registry (Debian's docker-registry) on a free port of the loopback, with its own data."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from tests.registries.certificates import Identity
from tests.registries.token_server import TokenServer

PROGRAM = "docker-registry"
_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own is made in it)


def available() -> bool:
    """Whether it is installed: tests/tools.py does that."""
    return shutil.which(PROGRAM) is not None


def wait_for(process: subprocess.Popen[bytes], port: int, log: Callable[[], str] = str) -> None:
    """Wait until a registry takes connections; what its `log` says is told where it does not."""
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no registry: {log()}") from None
            time.sleep(0.01)
        else:
            return


def _sweep(memory: Path) -> None:
    """Give back the memory of those whose programs were killed."""
    for left in memory.glob("registry-*-*"):
        if not Path(f"/proc/{left.name.split('-')[1]}").exists():
            shutil.rmtree(left, ignore_errors=True)


@dataclass
class RegistryProcess:
    """A registry for as long as the `with` block lasts."""

    folder: Path
    """Of its own, for its configuration and log."""
    passwords: dict[str, str] = field(default_factory=dict)
    """Basic authentication: user → password."""
    tokens: TokenServer | None = None
    """Bearer authentication."""
    identity: Identity | None = None
    """TLS."""
    read_only: bool = False
    relative: bool = False
    """Answer with locations that name no host."""
    port: int = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        # In memory where that can be: it syncs every small file to the disk.
        memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        if memory:
            _sweep(memory)
        self._data = TemporaryDirectory(prefix=f"registry-{os.getpid()}-", dir=memory)
        self.port = self.port or free_port()
        config = self.folder / "config.yml"
        config.write_text(_yaml(self._config()))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "serve", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            wait_for(self._process, self.port, lambda: self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._data.cleanup()

    def change_passwords(self, passwords: dict[str, str]) -> None:
        """Basic authentication with these from now on; it was on at the start."""
        self._htpasswd.write_text("".join(_htpasswd(*each) for each in passwords.items()))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return Path(self._data.name)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def _htpasswd(self) -> Path:
        return self.folder / "htpasswd"

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"addr": self.host, "secret": "of the tests"}
        http["relativeurls"] = str(self.relative).lower()
        if self.identity:
            http["tls"] = {
                "certificate": str(self.identity.certificate),
                "key": str(self.identity.key),
            }
        return {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": "true"}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.data)},
                "delete": {"enabled": "true"},
                "maintenance": {"readonly": {"enabled": str(self.read_only).lower()}},
            },
            "http": http,
            **self._auth(),
        }

    def _auth(self) -> dict[str, Any]:
        if self.passwords:
            self.change_passwords(self.passwords)
            return {"auth": {"htpasswd": {"realm": "tests", "path": str(self._htpasswd)}}}
        if self.tokens:
            return {
                "auth": {
                    "token": {
                        "realm": self.tokens.realm,
                        "service": self.tokens.service,
                        "issuer": self.tokens.issuer,
                        "rootcertbundle": str(self.tokens.identity.certificate),
                    }
                }
            }
        return {}


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _htpasswd(user: str, password: str) -> str:
    done = subprocess.run(
        ["htpasswd", "-Bbn", "-C", "4", user, password], capture_output=True, text=True, check=True
    )
    return done.stdout.strip() + "\n"


def _yaml(value: dict[str, Any], indent: str = "") -> str:
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(f"{indent}{key}:\n{_yaml(item, indent + '  ')}")
        else:
            lines.append(f"{indent}{key}: {item}\n")
    return "".join(lines)
