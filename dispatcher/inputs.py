"""Data from outside the project: into the store once, by its sha256, for runs to be given.

A file is an object of its own; a folder is a listing that names the sha256 of each file in it, and
is written after all of them, so that a listing that is there says that they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, Any

from dispatcher.input_errors import InputChanged, InputGone, InputUnreadable
from dispatcher.input_source import EXECUTABLE, PLAIN, Source, SourceFile, read
from dispatcher.places import Places
from dispatcher.request import Data
from dispatcher.runner.keys import data_key
from dispatcher.runner.store import DirectoryStore
from dispatcher.store import Runs
from dispatcher.store_errors import UploadLost
from packer.progress import SILENT, Progress

if TYPE_CHECKING:
    from dispatcher.runner.s3_upload import S3Upload
    from dispatcher.runner.store import Store, Upload

__all__ = ["Source", "read", "require", "send", "split", "told"]


def split(text: str) -> tuple[str, str]:
    """Source and destination of `SRC:DST`, or of `SRC` alone, which keeps its name."""
    source, colon, destination = text.rpartition(":")
    if not colon:
        source, destination = text, ""
    return source, destination or PurePosixPath(source).name


def send(sources: Sequence[Source], places: Places, progress: Progress = SILENT) -> int:
    """Have everything in the store; returns how many bytes had to be sent.

    What was interrupted goes on where it stopped, in a bucket part by part. Several clients may
    send the same at once.

    Raises:
        StoreFailed, InputChanged, InputUnreadable
    """
    store = Runs.at(places).store
    new = [source for source in sources if not store.has(data_key(source.data.sha256))]
    files = {file.sha256: file for source in new for file in source.files}
    if not new:
        return 0
    sender = _Sender(store, progress)
    progress.start("inputs", sum(file.size for file in files.values()))
    sender.send(sorted(files.values(), key=lambda file: -file.size))
    for source in new:
        if source.listing:
            store.put(data_key(source.data.sha256), source.listing)
    progress.done(f"{len(files)} files")
    return sender.sent


def require(data: Sequence[Data], places: Places) -> None:
    """See to it that data which was sent once is there still.

    Raises:
        InputGone, StoreFailed
    """
    store = Runs.at(places).store
    for each in data:
        if not store.has(data_key(each.sha256)):
            raise InputGone(each.path, each.sha256, places.store)


def told(data: Sequence[Data]) -> list[dict[str, Any]]:
    """What a runner's assignment says of a request's data."""
    return [
        {
            "sha256": each.sha256,
            "size": each.size,
            "path": each.path,
            "kind": each.kind,
            "mode": EXECUTABLE if each.executable else PLAIN,
        }
        for each in data
    ]


class _Sender:
    """Sends files, each unless it is there."""

    def __init__(self, store: Store, progress: Progress) -> None:
        self._store, self._progress = store, progress
        self._stopped = Event()
        self.sent = 0

    def send(self, files: Sequence[SourceFile]) -> None:
        """Have them all in the store, several at a time where that is of use."""
        if self._store.parallel == 1:
            for file in files:
                self._send(file)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._store.parallel) as pool:
            try:
                for _ in pool.map(self._send, files):
                    pass
            except BaseException:
                # One has failed, or somebody has lost patience: nobody waits for the others.
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _send(self, file: SourceFile) -> None:
        key = data_key(file.sha256)
        if self._store.size(key) == file.size:
            self._progress.advance(file.size)
            return
        try:
            self._put(file, key, resumed=True)
        except UploadLost:
            # Another client sends the same, went on with the same upload, and has mostly ended it.
            if self._store.size(key) != file.size:
                self._put(file, key, resumed=False)

    def _put(self, file: SourceFile, key: str, *, resumed: bool) -> None:
        upload = self._store.upload(key, file.size, resumed=resumed)
        try:
            if not self._copy(file, upload):
                upload.leave()
                return
            upload.commit()
        except BaseException:
            upload.leave()
            raise
        self.sent += file.size
        if isinstance(self._store, DirectoryStore):
            Path(self._store.path(key)).chmod(PLAIN)

    def _copy(self, file: SourceFile, upload: Upload | S3Upload) -> bool:
        """False where it is no longer wanted."""
        digest = hashlib.sha256()
        try:
            stream = file.source.open("rb", buffering=0)
        except OSError as error:
            raise InputUnreadable(str(file.source), error.strerror or str(error)) from error
        with stream:
            while piece := stream.read(upload.piece):
                if self._stopped.is_set():
                    return False
                digest.update(piece)
                upload.write(piece)
                self._progress.advance(len(piece))
        if digest.hexdigest() != file.sha256:
            raise InputChanged(str(file.source))
        return True
