"""The walk through a tree: what is there, what stays out, and what must be read.

Paths are raw bytes, relative to the tree's root. A file that is known and unchanged costs one
`stat`; rules are asked only about names that were not there before.
"""

# Paths are raw bytes here, which pathlib does not take.
# ruff: noqa: PTH115, PTH116, PTH118, PTH120

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

from packer.progress import Progress
from packer.project import ignore, listing, repository
from packer.project.file_cache import Directory, Known
from packer.project.ignore import Rules
from packer.project.tree_errors import (
    FileUnreadable,
    SymlinkEscape,
    SymlinkLoop,
    TreeChanged,
    TreeTooLarge,
)

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_ENVIRONMENT = "a Python environment"
_MARKS = {
    b"pyvenv.cfg": _ENVIRONMENT,
    b"conda-meta": _ENVIRONMENT,
    b"CACHEDIR.TAG": "a cache, as its CACHEDIR.TAG says",
    b"oci-layout": "an OCI image layout",
}
"""A directory with such an entry stays out as a whole."""

_ENVIRONMENT_PARTS = (
    b"bin", b"conda-meta", b"include", b"lib", b"lib64", b"pyvenv.cfg", b"share",
)  # fmt: skip
_MANY = 1 << 20
_SHOWN = 10


class Walk:
    """One pass over the tree at `root`, with what an earlier pass left in `remembered`."""

    def __init__(self, root: bytes, remembered: dict[bytes, Directory]) -> None:
        self.heads: dict[bytes, bytes] = {}
        """Path → head, of all that is packed (after `read`)."""
        self.left_out: list[tuple[bytes, str]] = []
        self.directories: dict[bytes, Directory] = {}
        """To be remembered for the next pass."""
        self._root = root
        self._remembered = remembered
        self._sizes: dict[bytes, int] = {}
        self._unread: list[tuple[bytes, Rules]] = []
        self._ahead: list[tuple[bytes, Rules]] = []

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(self._sizes.values())

    def scan(self, always: Sequence[str] = ()) -> None:
        """Look at every entry, and read none but the ignore files.

        Raises:
            TreeChanged, SymlinkEscape, SymlinkLoop, FileUnreadable
        """
        self._ahead.append((b"", repository.rules(self._root, always)))
        try:
            while self._ahead:
                self._directory(*self._ahead.pop())
        except OSError as error:
            raise self._refusal(error) from error

    def refuse_above(self, limit: int) -> None:
        """Go no further with a tree of more than `limit` bytes.

        Raises:
            TreeTooLarge
        """
        if self.size > limit:
            raise TreeTooLarge(self.size, limit, self._largest())

    def read(self, progress: Progress) -> None:
        """Read the files whose content is not known.

        Raises:
            TreeChanged, FileUnreadable
        """
        if not self._unread:
            return
        progress.start("reading the project", sum(self._sizes[path] for path, _ in self._unread))
        try:
            for path, rules in self._unread:
                self._read(path, rules)
                progress.advance(self._sizes.get(path, 0))
        except OSError as error:
            raise self._refusal(error) from error
        progress.done(f"{len(self._unread)} files")

    def _directory(self, path: bytes, rules: Rules) -> None:
        with os.scandir(os.path.join(self._root, path)) as scan:
            present = {entry.name: entry for entry in scan}
        marks = [what for mark, what in _MARKS.items() if mark in present]
        if marks and path:
            self.left_out.append((path, marks[0]))
            return
        if _ENVIRONMENT in marks:
            self._leave_out_environment(present)
        if present.keys() & ignore.MARKS:
            rules = rules.within(self._root, path, present.keys())
        before = self._remembered.get(path)
        names: dict[bytes, Known | str] = before.names if before else {}
        same = before is not None and before.rules == rules.key
        fresh: dict[bytes, Known | str] = {}
        self.directories[path] = Directory(rules.key, fresh)
        prefix = path + b"/" if path else b""
        heads, sizes, kept = self.heads, self._sizes, False
        for name, entry in present.items():
            was = names.get(name) if same else None
            if type(was) is Known and was.matches(entry.stat(follow_symlinks=False)):
                inner = prefix + name
                heads[inner] = was.head
                sizes[inner] = was.size
                fresh[name] = was
                kept = True
            else:
                fresh[name] = state = self._entry(prefix + name, entry, was, rules)
                kept = kept or len(state) == 1
        # One whose own .sendoffignore leaves out all of it is not packed as an empty one either.
        if not kept and path and ignore.SENDOFF not in present:
            self.heads[path] = listing.DIRECTORY

    def _entry(
        self, path: bytes, entry: os.DirEntry[bytes], was: Known | str | None, rules: Rules
    ) -> str:
        """Sort in an entry that is new, changed, or no file; what to remember of it."""
        kind = _kind(entry)
        if kind not in _PACKED:
            self.left_out.append((path, kind + ": not a file"))
            return kind
        letter = _PACKED[kind]
        if isinstance(was, str) and was.startswith(letter):
            reason = was[1:]
        else:
            reason = rules.verdict(path, is_directory=kind == "directory")
        if reason:
            self.left_out.append((path, reason))
        elif kind == "directory":
            self._ahead.append((path, rules))
        elif kind == "symlink":
            self.heads[path] = listing.link_head(self._target(path))
        else:
            self._sizes[path] = entry.stat(follow_symlinks=False).st_size
            self._unread.append((path, rules))
        return letter + reason

    def _read(self, path: bytes, rules: Rules) -> None:
        from packer.project import content

        directory, _, name = path.rpartition(b"/")
        fresh = self.directories[directory].names
        read = content.read(os.path.join(self._root, path))
        if read is None:
            raise TreeChanged(listing.shown(path))
        self._sizes[path] = read.size
        if read.is_private_key and not rules.asked_for(path):
            self.left_out.append((path, "it holds a private key"))
            del self._sizes[path]
        else:
            self.heads[path] = read.head
            fresh[name] = read.known

    def _target(self, path: bytes) -> bytes:
        """Where a link points, in terms that hold wherever the tree is."""
        full = os.path.join(self._root, path)
        target = os.readlink(full)
        try:
            os.stat(full)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise SymlinkLoop(listing.shown(path), listing.shown(target)) from error
        resolved = os.path.realpath(full)
        if resolved != self._root and not resolved.startswith(self._root + b"/"):
            raise SymlinkEscape(listing.shown(path), listing.shown(target))
        folder = os.path.dirname(path)
        if os.path.normpath(os.path.join(b"/-", folder, target)).startswith(b"/-/"):
            return target
        return os.path.relpath(resolved, os.path.join(self._root, folder))

    def _leave_out_environment(self, present: dict[bytes, os.DirEntry[bytes]]) -> None:
        for name in _ENVIRONMENT_PARTS:
            if present.pop(name, None):
                self.left_out.append((name, _ENVIRONMENT))

    def _largest(self) -> tuple[tuple[str, int], ...]:
        """Large files each, small ones by their directory: path, bytes; the largest first."""
        sums: dict[bytes, int] = {}
        for path, size in self._sizes.items():
            name = path if size >= _MANY else os.path.dirname(path) + b"/"
            sums[name] = sums.get(name, 0) + size
        ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
        return tuple((listing.shown(path), size) for path, size in ordered[:_SHOWN])

    def _refusal(self, error: OSError) -> Exception:
        path = os.fsencode(error.filename or b"")
        inner = listing.shown(os.path.relpath(path, self._root) if path else b"")
        if error.errno in _GONE:
            return TreeChanged(inner)
        return FileUnreadable(inner, error.strerror or "")


_PACKED = {"file": "f", "directory": "d", "symlink": "l"}


def _kind(entry: os.DirEntry[bytes]) -> str:
    if entry.is_symlink():
        return "symlink"
    if entry.is_dir(follow_symlinks=False):
        return "directory"
    if entry.is_file(follow_symlinks=False):
        return "file"
    mode = entry.stat(follow_symlinks=False).st_mode
    return {stat.S_IFSOCK: "socket", stat.S_IFIFO: "pipe"}.get(stat.S_IFMT(mode), "device")
