"""Storing results: each file is hashed while it is copied, the manifest comes last."""

from __future__ import annotations

import errno
import hashlib
import os

from .store_faults import StoreFault, StoreRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .assignment import Assignment
    from .ledger import Ledger
    from .outputs import Found

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# Enough to see what is the matter.
_TOLD = 20


class Results:
    """The files of one attempt in the store."""

    def __init__(self, ledger: Ledger, assignment: Assignment) -> None:
        self._ledger, self._assignment = ledger, assignment
        self.file_limit = assignment.file_limit
        self.files: list[dict[str, Any]] = []
        """`{path, size, sha256}` of each file stored, those nearest to the top first."""
        self.exceeded: list[str] = []
        """The settings whose limits kept some out."""
        self._problems: list[str] = []
        self._hopeless = False

    @property
    def problems(self) -> list[str]:
        """What is missing in the store, and why."""
        more = len(self._problems) - _TOLD
        return self._problems[:_TOLD] + ([f"and {more} more"] if more > 0 else [])

    def keep(self, found: Found) -> None:
        """Store what was found, up to the limits on number and size."""
        if found.count > self.file_limit:
            text = f"{found.count} files were written; the limit is {self.file_limit}"
            self._problems.append(text)
            self.exceeded.append("result-files")
        if found.unseen:
            self._problems.append(found.unseen)
        chosen = list(self._within(found))
        if self._ledger.store.parallel == 1 or len(chosen) == 1:
            done = map(self._keep_one, chosen)
            self.files = [file for file in done if file]
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._ledger.store.parallel) as pool:
            self.files = [file for file in pool.map(self._keep_one, chosen) if file]

    def _within(self, found: Found) -> Iterator[tuple[str, str, int]]:
        """Path, file and size of what is within the limit on bytes."""
        room = self._assignment.byte_limit
        for path, source in found.files.items():
            room -= found.sizes[path]
            if room < 0:
                self._problems.append(f"{path}: over the limit of {self._assignment.byte_limit} B")
                self.exceeded.append("result-size")
                return
            yield path, source, found.sizes[path]

    def _keep_one(self, file: tuple[str, str, int]) -> dict[str, Any] | None:
        """The entry in the manifest; None where the file could not be stored."""
        path, source, size = file
        if self._hopeless:
            return None
        key = self._ledger.keys.file(self._ledger.index, self._ledger.attempt, path)
        try:
            return {"path": path, **self._copy(source, key, size)}
        except OSError as error:
            self._problems.append(f"{path}: {error.strerror or error}")
            self._hopeless = self._hopeless or _hopeless(error)
        return None

    def _copy(self, source: str, key: str, size: int) -> dict[str, Any]:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        upload = None
        try:
            upload = self._ledger.store.upload(key, size)
            size, digest = 0, hashlib.sha256()
            while data := os.read(descriptor, upload.piece):
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


def _hopeless(error: OSError) -> bool:
    """Whether every further file would meet the same."""
    if isinstance(error, StoreFault):
        return not isinstance(error, StoreRefused)
    return error.errno in _FULL
