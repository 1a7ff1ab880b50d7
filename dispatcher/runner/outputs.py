"""What the command wrote: which files are results.

Regular files only; symbolic links and special files are never followed or opened. Everything is
looked at after the last process of the command has ended.
"""

from __future__ import annotations

import os
import stat

from . import patterns as globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTECODE = "__pycache__"
# Enough to say that there were far too many.
_LOOK_AT_MOST = 1_000_000
_NAMED = 3

Traces = dict[str, tuple[int, int, int]]
"""Path below a folder → inode, modification time in ns, size in bytes."""


class Found:
    """The results among the files of one or two folders."""

    def __init__(self, files: dict[str, str], sizes: dict[str, int], warnings: list[str]) -> None:
        self.files = files
        """Path of the result, "/"-separated → the file, in the order to be stored."""
        self.sizes = sizes
        self.warnings = warnings


class Tree:
    """A folder and the regular files below it, byte code left out."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.traces: Traces = {}
        self.passed_over: list[str] = []
        """Links and special files."""
        for path, status in _walk(root, ""):
            if stat.S_ISREG(status.st_mode):
                self.traces[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
            else:
                self.passed_over.append(path)


def find(workspace: str, before: Tree, output_dir: str, declared: list[str]) -> Found:
    """The results, those nearest to the top first.

    They are what matches the declared patterns and what is in `output_dir`; where neither gives
    any and no pattern was declared, all that the command created or changed in the workspace.
    """
    after = Tree(workspace)
    changed = [path for path, trace in after.traces.items() if before.traces.get(path) != trace]
    given = Tree(output_dir)
    files = {path: f"{output_dir}/{path}" for path in given.traces}
    sizes = {path: trace[2] for path, trace in given.traces.items()}
    warnings = _passed_over(given.passed_over)
    if declared:
        wanted = [globs.compile_pattern(pattern) for pattern in declared]
        changed = [path for path in changed if globs.matches(wanted, path)]
        warnings += _unmatched(declared, changed)
    elif files:
        changed = []
    if not given.traces:
        known = set(before.passed_over)
        warnings += _passed_over([path for path in after.passed_over if path not in known])
    for path in changed:
        if path in files:
            warnings.append(f"OUTPUT_SHADOWED: {path} of $SENDOFF_OUTPUT_DIR was kept")
        else:
            files[path] = f"{workspace}/{path}"
            sizes[path] = after.traces[path][2]
    if not files:
        warnings.append("NO_OUTPUTS: the command wrote no files")
    order = sorted(files, key=lambda path: (path.count("/"), os.fsencode(path)))
    return Found({path: files[path] for path in order}, sizes, warnings)


def _passed_over(paths: list[str]) -> list[str]:
    if not paths:
        return []
    some = ", ".join(sorted(paths)[:_NAMED]) + (", …" if len(paths) > _NAMED else "")
    return [f"OUTPUT_SKIPPED: {len(paths)} links or special files were not kept: {some}"]


def _unmatched(declared: list[str], found: list[str]) -> list[str]:
    return [
        f"OUTPUT_UNMATCHED: the command wrote nothing that matches {pattern}"
        for pattern in declared
        if not any(globs.matches([globs.compile_pattern(pattern)], path) for path in found)
    ]


def _walk(root: str, below: str) -> Iterator[tuple[str, os.stat_result]]:
    pending, looked = [below], 0
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(f"{root}/{folder}"))
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name != _BYTECODE:
                    pending.append(path)
                continue
            looked += 1
            if looked > _LOOK_AT_MOST:
                return
            yield path, entry.stat(follow_symlinks=False)
