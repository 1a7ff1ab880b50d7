"""Storing results: each file is hashed while it is copied, the manifest comes last."""

from __future__ import annotations

import errno
import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .assignment import Assignment
    from .keys import RunKeys
    from .outputs import Found
    from .store import DirectoryStore

_PIECE = 1 << 20


class Results:
    """The files of one attempt in the store; `problems` says what is missing there, and why."""

    def __init__(self, store: DirectoryStore, keys: RunKeys, assignment: Assignment) -> None:
        self._store, self._keys, self._assignment = store, keys, assignment
        self.files: list[dict[str, Any]] = []
        """`{path, size, sha256}` of each file stored, in the order of storing."""
        self.problems: list[str] = []

    def keep(self, found: Found) -> None:
        """Store what was found, up to the limits on number and size."""
        room = self._assignment.byte_limit
        limit = self._assignment.file_limit
        if len(found.files) > limit:
            self.problems.append(f"{len(found.files)} files were written; the limit is {limit}")
        for path, source in list(found.files.items())[:limit]:
            room -= found.sizes[path]
            if room < 0:
                self.problems.append(f"{path}: over the limit of {self._assignment.byte_limit} B")
                return
            if not self._keep_one(path, source):
                return

    def _keep_one(self, path: str, source: str) -> bool:
        """False where going on makes no sense."""
        key = self._keys.file(self._assignment.index, self._assignment.attempt, path)
        try:
            self.files.append({"path": path, **self._copy(source, key)})
        except OSError as error:
            self.problems.append(f"{path}: {error.strerror or error}")
            return error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        return True

    def _copy(self, source: str, key: str) -> dict[str, Any]:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        upload = None
        try:
            upload = self._store.upload(key)
            size, digest = 0, hashlib.sha256()
            while data := os.read(descriptor, _PIECE):
                upload.write(data)
                digest.update(data)
                size += len(data)
            upload.commit()
        except OSError:
            if upload:
                upload.abandon()
            raise
        finally:
            os.close(descriptor)
        return {"size": size, "sha256": digest.hexdigest()}
