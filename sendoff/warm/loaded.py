"""The files of all that this process has imported, and whether they are as they were then."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

from packer import inotify

_Stamp = tuple[int, int, int]


class Loaded:
    """Those of the modules there are now, and `further` ones.

    A directory of `sys.path` that has none of them itself, such as a project that is installed
    editable, may change: but not so that a module would be found there instead.
    """

    def __init__(self, further: Iterable[str] = ()) -> None:
        modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        paths = (*filter(None, modules), *further)
        directories = {os.path.dirname(path) for path in paths}
        searched = [path for path in dict.fromkeys(sys.path) if path]
        self._stamps = {path: _stamp(path) for path in paths}
        self._stamps |= {path: _stamp(path) for path in searched if path in directories}
        self._names = {name.partition(".")[0] for name in sys.modules}
        others = [path for path in searched if path not in directories]
        self._others = {path: (_stamp(path), self._named(path)) for path in others}
        self._instance = -1

    @property
    def newest(self) -> int:
        """When one of them was changed last, in nanoseconds since the epoch."""
        return max((stamp[0] for stamp in self._stamps.values() if stamp), default=0)

    def watch(self) -> bool:
        """Have the kernel tell of changes from now on, where it can; whether there were none."""
        directories = {os.fsencode(os.path.dirname(path)) for path in self._stamps}
        with suppress(OSError):
            instance = inotify.instance()
            there = {path for path in directories if path and os.path.isdir(path)}
            if inotify.watch(instance, there):
                self._instance = instance
            else:
                os.close(instance)
        return self._are_the_same()

    def unchanged(self) -> bool:
        """Whether all are as they were. Forks may ask as well."""
        told = self._instance >= 0
        same = inotify.is_quiet(self._instance) if told else self._are_the_same()
        return same and self._are_found()

    def _are_the_same(self) -> bool:
        return all(_stamp(path) == stamp for path, stamp in self._stamps.items())

    def _are_found(self) -> bool:
        """Whether nothing else would be found in their place."""
        return all(
            _stamp(path) == stamp or self._named(path) == named
            for path, (stamp, named) in self._others.items()
        )

    def _named(self, path: str) -> frozenset[str]:
        """What has the name of something imported, in a directory."""
        with suppress(OSError):
            return frozenset(
                entry for entry in os.listdir(path) if entry.partition(".")[0] in self._names
            )
        return frozenset()


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
