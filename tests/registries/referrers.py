"""A registry that has the referrers API, on a free port of the loopback and in memory."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Self

from tests.registries.process import free_port, wait_for
from tests.stack.programs import program


@dataclass
class ReferrersRegistry:
    """A registry for as long as the `with` block lasts."""

    silent: bool = False
    """It does not say that it lists what was pushed (an early implementation of the API)."""

    def __enter__(self) -> Self:
        self.port = free_port()
        command = [program("referrers-registry"), f"-address=127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [*command, f"-silent={str(self.silent).lower()}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._process, self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"
