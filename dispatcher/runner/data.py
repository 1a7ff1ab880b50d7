"""Data that a run was given: brought from the store before the start, verified, read-only.

Each file is named by its sha256 in the store, and so is a folder: by that of its listing
(`sendoff.tree/1`), which has the sha256 of each file in it.
"""

from __future__ import annotations

import hashlib
import json
import os

from .keys import data_key
from .store import DirectoryStore, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .store import Store

TREE = "sendoff.tree/1"
_PIECE = 1 << 18
_POLL = 0.2


class DataUnusable(Exception):
    """What was given can't be had as it was given: it is gone or altered, or has no place."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class Stopped(Exception):
    """Somebody wants the end before the data is there."""


class Data:
    """What a run was given, as entries `{sha256, size, path, mode, kind}`.

    `path` is relative to the working directory; `kind` is "file" or "tree".
    """

    def __init__(self, entries: list[dict[str, Any]], store: Store, folder: str) -> None:
        """`folder` is where to keep what comes from afar."""
        self._entries, self._store, self._folder = entries, store, folder
        self._files: list[dict[str, Any]] = []
        self._trees: list[str] = []

    def fetch(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Have everything here, and verified. `stop` is asked now and then.

        Raises:
            DataUnusable, Stopped
            OSError: of the store, or there is no room.
        """
        for entry in self._entries:
            self._expand(entry)
        for file in self._files:
            if any(part in ("", ".", "..") or "\0" in part for part in file["path"].split("/")):
                raise DataUnusable(file["path"], "it would lie outside the working directory")
        different = list({file["sha256"]: file for file in self._files}.values())
        if isinstance(self._store, DirectoryStore):
            for file in different:
                _verify(self._source(file), file, stop)
        elif different:
            self._fetch(different, stop)

    def place(self, workspace: str) -> None:
        """Put everything into a working directory.

        Raises:
            DataUnusable: there is something already.
            OSError: there is no room.
        """
        # Modes do not keep root from writing through a link to what belongs to everybody.
        copied = isinstance(self._store, DirectoryStore) and os.geteuid() == 0
        folders: dict[str, bool] = {}
        for file in self._files:
            target = f"{workspace}/{file['path']}"
            self._make_folders(workspace, file["path"], folders)
            try:
                self._put(self._source(file), target, file["mode"], copied=copied)
            except FileExistsError:
                raise DataUnusable(file["path"], "the project has a file of that name") from None
        inside = tuple(f"{workspace}/{tree}/" for tree in self._trees)
        for folder, made in folders.items():
            if made and f"{folder}/".startswith(inside):
                os.chmod(folder, _mode(0o100))

    def _expand(self, entry: dict[str, Any]) -> None:
        if entry.get("kind", "file") == "file":
            self._files.append({**entry, "mode": entry.get("mode", 0o444)})
            return
        self._trees.append(entry["path"])
        for file in self._listing(entry):
            self._files.append({**file, "path": f"{entry['path']}/{file['path']}"})

    def _listing(self, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            data = self._store.get(data_key(entry["sha256"]))
        except Missing:
            raise DataUnusable(entry["path"], "it is not in the store") from None
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise DataUnusable(entry["path"], "the stored listing is not the one that was given")
        listing = json.loads(data)
        if listing["format"] != TREE:
            raise DataUnusable(entry["path"], f"its listing has the format {listing['format']!r}")
        yield from listing["files"]

    def _source(self, file: dict[str, Any]) -> str:
        if isinstance(self._store, DirectoryStore):
            return self._store.path(data_key(file["sha256"]))
        return f"{self._folder}/{file['sha256']}"

    def _fetch(self, files: list[dict[str, Any]], stop: Callable[[], bool]) -> None:
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
        from threading import Event

        os.makedirs(self._folder, exist_ok=True)
        stopped = Event()
        # The largest first, so that none is waited for alone in the end.
        files = sorted(files, key=lambda file: -int(file["size"]))
        with ThreadPoolExecutor(self._store.parallel) as pool:
            jobs = {pool.submit(self._fetch_one, file, stopped.is_set) for file in files}
            try:
                while jobs:
                    done, jobs = wait(jobs, _POLL, FIRST_EXCEPTION)
                    for job in done:
                        job.result()
                    _heed(stop)
            except BaseException:
                stopped.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _fetch_one(self, file: dict[str, Any], stopped: Callable[[], bool]) -> None:
        path = self._source(file)
        if os.path.exists(path):
            return
        try:
            source = self._store.open(data_key(file["sha256"]))
        except Missing:
            raise DataUnusable(file["path"], "it is not in the store") from None
        with source, open(path + ".incoming", "wb", buffering=0) as target:
            digest = hashlib.sha256()
            while data := source.read(_PIECE):
                _heed(stopped)
                digest.update(data)
                target.write(data)
        _compare(digest.hexdigest(), file)
        os.chmod(path + ".incoming", _mode(file["mode"]))
        os.rename(path + ".incoming", path)

    def _make_folders(self, workspace: str, path: str, made: dict[str, bool]) -> None:
        folder = workspace
        for part in path.split("/")[:-1]:
            folder += "/" + part
            if folder in made:
                continue
            made[folder] = True
            try:
                os.mkdir(folder)
            except FileExistsError:
                made[folder] = False
                if os.path.islink(folder) or not os.path.isdir(folder):
                    raise DataUnusable(path, f"{folder} is in the way, and no folder") from None

    def _put(self, source: str, target: str, mode: int, *, copied: bool) -> None:
        if not copied:
            try:
                os.link(source, target)
            except FileExistsError:
                raise
            except OSError:
                # Another file system, or too many links.
                copied = True
        if copied:
            from .working_copy import copy_file

            if os.path.lexists(target):
                raise FileExistsError(target)
            copy_file(source, target)
            os.chmod(target, _mode(mode))


def _heed(stop: Callable[[], bool]) -> None:
    if stop():
        raise Stopped


def _verify(path: str, file: dict[str, Any], stop: Callable[[], bool]) -> None:
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as source:
            while data := source.read(_PIECE):
                _heed(stop)
                digest.update(data)
    except FileNotFoundError:
        raise DataUnusable(file["path"], "it is not in the store") from None
    _compare(digest.hexdigest(), file)


def _compare(digest: str, file: dict[str, Any]) -> None:
    if digest != file["sha256"]:
        reason = f"what is stored has the sha256 {digest}, not {file['sha256']}"
        raise DataUnusable(file["path"], reason)


def _mode(mode: int) -> int:
    """Readable by everybody, writable by nobody."""
    return 0o555 if mode & 0o100 else 0o444
