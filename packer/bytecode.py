"""Bytecode for an environment's sources, compiled by the interpreter that will run them."""

from __future__ import annotations

import marshal
import os
from collections.abc import Sequence
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import NamedTuple, Self

from packer import image_paths
from packer.interpreter import Interpreter
from packer.process import Companion

_WORKER = Path(__file__).with_name("bytecode_worker.py")


class Source(NamedTuple):
    """A Python source and where it will be."""

    content: bytes
    path: str
    """Relative to the environment's prefix."""


class Compiler:
    """Worker processes of the target's interpreter, started when there is something to do."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self.minor = interpreter.minor
        self._site_dirs = dict.fromkeys(
            (interpreter.purelib, interpreter.platlib, *interpreter.site_dirs)
        )
        self.workers = os.cpu_count() or 1
        self._idle: LifoQueue[Companion | None] = LifoQueue()
        self._started: list[Companion] = []
        for _ in range(self.workers):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._started:
            worker.close()

    def compile(self, sources: Sequence[Source]) -> list[bytes | None]:
        """The .pyc of each source; None where it does not compile. Threads may call at once.

        Raises:
            ProgramFailed: the interpreter does not start, or dies over a source.
        """
        request = marshal.dumps(
            [
                (source.content, f"{image_paths.PREFIX}/{source.path}", self._in_sandbox(source))
                for source in sources
            ],
            2,
        )
        worker = self._idle.get()
        try:
            worker = worker or self._start()
            answer: list[bytes | None] = marshal.loads(worker.ask(request))  # noqa: S302
        finally:
            self._idle.put(worker)
        return answer

    def cached(self, path: str) -> str:
        """Where the .pyc of the source `path` belongs."""
        folder, _, name = path.rpartition("/")
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.{self._interpreter.cache_tag}.pyc"

    def _in_sandbox(self, source: Source) -> str:
        site = image_paths.site_packages(self._interpreter.minor) + "/"
        if not source.path.startswith(site):
            return ""
        below = source.path.removeprefix(site)
        places = (Path(directory, below) for directory in self._site_dirs)
        return str(next(filter(Path.exists, places), ""))

    def _start(self) -> Companion:
        options = ("-I", "-S", "-B", "-W", "ignore")
        worker = Companion((self._interpreter.executable, *options, str(_WORKER)))
        self._started.append(worker)
        return worker
