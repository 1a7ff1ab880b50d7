"""A BuildKit besides the stack's own, with nothing in its cache."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Self

from tests.stack import lifecycle
from tests.stack.processes import start, until
from tests.stack.programs import program
from tests.stack.server import ailment
from tests.stack.services import buildkit_configuration


class SecondBuilder:
    """A buildkitd for as long as the `with` block lasts."""

    def __init__(self, registry: str) -> None:
        self._registry = registry

    def __enter__(self) -> Self:
        # A socket's path has a hundred characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="buildkitd-"))
        self.address = f"unix://{self._folder}/socket"
        configuration = self._folder / "buildkitd.toml"
        configuration.write_text(
            buildkit_configuration(self._folder / "root", self.address, self._registry)
        )
        command = [str(program("buildkitd")), f"--config={configuration}"]
        log = self._folder / "log"
        self.process = start(command, env={}, log=log, cwd=self._folder)
        if not until(lambda: ailment(self.address) is None, 60):
            raise RuntimeError(log.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.end(patience=15)
        # One that was killed leaves the file systems of its containers mounted.
        lifecycle.unmount(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)
