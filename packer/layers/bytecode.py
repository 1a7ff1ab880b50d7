"""Bytecode for an environment's sources, compiled by the interpreter that will run them."""

from __future__ import annotations

import marshal
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import LifoQueue
from typing import Self

from packer import image_paths
from packer.environment.interpreter import Interpreter
from packer.layers.tree import TreeFile
from packer.process import Companion

_WORKER = Path(__file__).with_name("bytecode_worker.py")
_TESTS = "/tests/"


class Compiler:
    """Worker processes of the target's interpreter, started when there is something to do."""

    def __init__(self, interpreter: Interpreter, prefix: str = image_paths.PREFIX) -> None:
        self._interpreter = interpreter
        self.prefix = prefix
        """In-image path that the sources are laid out below."""
        self.minor = interpreter.minor
        self.site = image_paths.site_packages(interpreter.minor) + "/"
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

    def __exit__(self, *_: object) -> None:
        for worker in self._started:
            worker.close()

    def compile(self, sources: Sequence[TreeFile]) -> list[memoryview | None]:
        """The .pyc of each source; None where it does not compile. Threads may call at once.

        What the sandbox has compiled already is taken from there, a tenth of the work.

        Raises:
            ProgramFailed: the interpreter does not start, or dies over a source.
        """
        places = [self.in_sandbox(source.path) for source in sources]
        made = self._ask(
            [
                ("installed", self._in_image(source), place, *source.checksum())
                for source, place in zip(sources, places, strict=True)
            ]
        )
        left = [source for source, pyc in zip(sources, made, strict=True) if pyc is None]
        fresh = self._ask(
            [("compiled", self._in_image(source), source.content()) for source in left]
        )
        compiled = iter(fresh)
        return [next(compiled) if pyc is None else pyc for pyc in made]

    def wants(self, path: str) -> bool:
        """Whether the file gets a .pyc: a source in site-packages, but of no test suite.

        Those would be half of all bytecode, and Python compiles what is imported all the same.
        """
        return path.startswith(self.site) and path.endswith(".py") and _TESTS not in path

    def cached(self, path: str) -> str:
        """Where the .pyc of the source `path` belongs."""
        folder, _, name = path.rpartition("/")
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.{self._interpreter.cache_tag}.pyc"

    def in_sandbox(self, path: str) -> str:
        """Where the sandbox has a file below site-packages, if it has it at all."""
        below = path.removeprefix(self.site)
        *places, last = [f"{directory}/{below}" for directory in self._site_dirs]
        # Most sandboxes have one such directory, and whoever opens a file sees whether it is there.
        return next(filter(os.path.isfile, places), last)

    def _in_image(self, source: TreeFile) -> str:
        return f"{self.prefix}/{source.path}"

    def _ask(self, items: list[tuple[object, ...]]) -> list[memoryview | None]:
        if not items:
            return []
        worker = self._idle.get()
        try:
            worker = worker or self._start()
            answer = worker.ask(marshal.dumps(items, 2))
        finally:
            self._idle.put(worker)
        return list(_contents(answer, len(items)))

    def _start(self) -> Companion:
        options = ("-I", "-S", "-B", "-W", "ignore")
        worker = Companion((self._interpreter.executable, *options, str(_WORKER)))
        self._started.append(worker)
        return worker


def _contents(answer: bytes, count: int) -> Iterator[memoryview | None]:
    """The .pyc in an answer, in the format that `bytecode_worker` describes; no copies."""
    view, at = memoryview(answer), 4 * count
    for (size,) in struct.iter_unpack("<I", view[:at]):
        yield view[at : at + size] if size else None
        at += size
