"""Randomness in a fork: what a fresh process would have, and what the module has seeded."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Seeds:
    """Whether `random` is seeded while a function is loaded: Python seeds it anew in every fork."""

    def __init__(self) -> None:
        self._random: Any = None
        self._original: tuple[Any, Any] = (None, None)
        self._seeded = False
        self._state: Any = None

    def watch(self) -> None:
        """Begin to take note; nothing of the program has been loaded yet."""
        import importlib.util

        found = importlib.util.find_spec("random")
        if not found or os.path.dirname(found.origin or "") != os.path.dirname(os.__file__):
            # The program has a module of this name.
            return
        try:
            import random
        except Exception:  # noqa: BLE001 (the program may have a module of what that imports)
            return
        original = random.seed, random.setstate

        def seed(a: Any = None, version: int = 2) -> None:
            original[0](a, version)
            self._seeded = a is not None

        def setstate(state: Any) -> None:
            original[1](state)
            self._seeded = True

        self._random, self._original = random, original
        random.seed, random.setstate = seed, setstate

    def keep(self) -> None:
        """Everything is loaded: keep what forks are to begin with."""
        if self._random:
            self._random.seed, self._random.setstate = self._original
            self._state = self._random.getstate() if self._seeded else None

    def sow(self) -> None:
        """Make this fork's randomness its own, except for what was seeded."""
        if self._random and self._state:
            self._random.setstate(self._state)
        _sow_numpy()


def _sow_numpy() -> None:
    numpy: Any = sys.modules.get("numpy")
    if not numpy or "numpy.random" not in sys.modules:
        return
    generator = getattr(numpy.random.mtrand, "_rand", None)
    source = getattr(generator, "_bit_generator", None)
    if source is not None and getattr(source, "_seed_seq", None) is not None:
        numpy.random.seed()
