"""What the command wrote: which files are results.

Regular files only; symbolic links and special files are never followed or opened. Everything is
looked at after the last process of the command has ended, and no number of files that a command
may have written takes more memory than the limit on results allows.
"""

from __future__ import annotations

import os
import stat

from . import patterns as globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTECODE = "__pycache__"
_LOOK_AT_MOST = 1_000_000
_NAMED = 3
_OF_CALLS = (
    *("result.json", "result.types.json", "result.npz", "result.pkl"),
    *("error.json", "error.pkl"),
)
"""What a call may leave, and only a call: whoever asks for its value goes by these names."""

Trace = tuple[int, int, int]
"""Inode, modification time in ns, size in bytes."""


class Found:
    """The results among the files of one or two folders."""

    def __init__(self, limit: int) -> None:
        self.files: dict[str, str] = {}
        """Path of the result, "/"-separated → the file, in the order to be stored."""
        self.sizes: dict[str, int] = {}
        self.count = 0
        """How many there are, those beyond the limit included."""
        self.warnings: list[str] = []
        self.unseen = ""
        """That there may be more, where there is too much to look at; else empty."""
        self._limit = limit

    def add(self, path: str, source: str, size: int) -> None:
        """Take a result; those furthest from the top go once there are far too many."""
        self.count += 1
        self.files[path], self.sizes[path] = source, size
        if len(self.files) >= 2 * self._limit + 1000:
            self.settle()

    def rename(self, path: str) -> None:
        """Keep a result, if there is one, under a name that is free."""
        if path not in self.files:
            return
        free = f"written-{path}"
        while free in self.files:
            free = f"written-{free}"
        self.files[free], self.sizes[free] = self.files.pop(path), self.sizes.pop(path)
        self.warnings.append(f"OUTPUT_RENAMED: {path} that the function wrote is {free}")

    def settle(self) -> None:
        """Put the results into their order, and drop what is over the limit."""
        kept = sorted(self.files, key=lambda path: (path.count("/"), os.fsencode(path)))
        self.files = {path: self.files[path] for path in kept[: self._limit]}
        self.sizes = {path: self.sizes[path] for path in self.files}


class Tree:
    """A folder and the regular files below it, byte code left out."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders = _folders(root)
        self.traces: dict[str, Trace] = {}
        self.passed_over: set[str] = set()
        """Links and special files."""
        for path, status in Walk(root):
            if stat.S_ISREG(status.st_mode):
                self.traces[path] = _trace(status)
            else:
                self.passed_over.add(path)

    def same(self) -> bool:
        """Whether nothing below the folder has changed, come or gone."""
        if self._folders != _folders(self.root):
            return False
        now = Tree(self.root)
        return (now.traces, now.passed_over) == (self.traces, self.passed_over)


def _folders(root: str) -> dict[str, int]:
    """The folders below one: path → inode; byte code left out."""
    found, pending = {}, [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False) and entry.name != _BYTECODE:
                        found[entry.path] = entry.inode()
                        pending.append(entry.path)
        except OSError:
            continue
    return found


def emptied(folder: str) -> bool:
    """Remove a folder with the files in it; False where there is anything else in it."""
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def find(
    before: Tree, output_dir: str, declared: list[str], limit: int, returned: str = ""
) -> Found:
    """The results in a folder and in `output_dir`, at most `limit`, those nearest to the top first.

    They are what matches the declared patterns and what is in `output_dir`; where neither gives
    any and no pattern was declared, all that the command created or changed since `before`. And,
    in any case, what is in the folder `returned`, which is there if the command is a call of a
    function; what the function itself wrote under a name that is the call's has another one then.
    """
    found, passed_over = Found(limit), PassedOver()
    walk = Walk(output_dir)
    for path, status in walk:
        if stat.S_ISREG(status.st_mode):
            found.add(path, f"{output_dir}/{path}", status.st_size)
        else:
            passed_over.add(path)
    found.warnings += passed_over.warnings()
    found.unseen = walk.unseen
    if declared or not found.count:
        _add_changed(before, declared, found)
    if returned and os.path.isdir(returned):
        for path in _OF_CALLS:
            found.rename(path)
        for path, status in Walk(returned):
            found.add(path, f"{returned}/{path}", status.st_size)
    if not found.count:
        found.warnings.append("NO_OUTPUTS: the command wrote no files")
    found.settle()
    return found


class PassedOver:
    """Links and special files: how many, and the names of some."""

    def __init__(self) -> None:
        self._count = 0
        self._some: list[str] = []

    def add(self, path: str) -> None:
        """Count one."""
        self._count += 1
        self._some = sorted([*self._some, path])[:_NAMED]

    def warnings(self) -> list[str]:
        """What to tell: one sentence, or none."""
        if not self._count:
            return []
        some = ", ".join(self._some) + (", …" if self._count > _NAMED else "")
        return [f"OUTPUT_SKIPPED: {self._count} links or special files were not kept: {some}"]


class Walk:
    """Files, links and special files below a folder: path, status."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.unseen = ""
        """That there are more than were looked at; else empty."""

    def __iter__(self) -> Iterator[tuple[str, os.stat_result]]:
        pending, looked = [""], 0
        while pending:
            folder = pending.pop()
            for path, entry in self._entries(folder):
                looked += 1
                if looked > _LOOK_AT_MOST:
                    self.unseen = f"only {_LOOK_AT_MOST:,} files and folders were looked at"
                    return
                if not entry.is_dir(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False)
                elif entry.name != _BYTECODE:
                    pending.append(path)

    def _entries(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            with os.scandir(f"{self._root}/{folder}") as entries:
                for entry in entries:
                    yield f"{folder}/{entry.name}" if folder else entry.name, entry
        except OSError:
            return


def _add_changed(before: Tree, declared: list[str], found: Found) -> None:
    """Add what the command created or changed, where it is wanted."""
    wanted = {pattern: globs.compile_pattern(pattern) for pattern in declared}
    unmatched = dict.fromkeys(declared)
    given, passed_over, walk = set(found.files), PassedOver(), Walk(before.root)
    for path, status in walk:
        if not stat.S_ISREG(status.st_mode):
            if path not in before.passed_over:
                passed_over.add(path)
            continue
        if before.traces.get(path) == _trace(status):
            continue
        matching = [text for text, pattern in wanted.items() if globs.matches([pattern], path)]
        for text in matching:
            unmatched.pop(text, None)
        if wanted and not matching:
            continue
        if path in given:
            found.warnings.append(f"OUTPUT_SHADOWED: {path} of $SENDOFF_OUTPUT_DIR was kept")
        else:
            found.add(path, f"{before.root}/{path}", status.st_size)
    found.unseen = found.unseen or walk.unseen
    found.warnings += [
        f"OUTPUT_UNMATCHED: the command wrote nothing that matches {text}" for text in unmatched
    ]
    if not given:
        found.warnings += passed_over.warnings()


def _trace(status: os.stat_result) -> Trace:
    return (status.st_ino, status.st_mtime_ns, status.st_size)
