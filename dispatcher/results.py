"""Results, read and fetched. Nothing here deletes or changes what is stored."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dispatcher.errors import ResultAltered, ResultUnknown
from dispatcher.metrics import Opener
from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.run import Manifest, OutputFile
from dispatcher.runner import patterns as globs
from dispatcher.store import Missing, RunKeys, Runs
from packer import disk

_PIECE = 1 << 20
_SHOWN = 5


def files(run_id: str, index: int, places: Places) -> tuple[OutputFile, ...]:
    """What an index wrote; nothing before it has ended.

    Raises:
        RunUnknown
    """
    _, manifest = _find(run_id, index, places)
    return manifest.files if manifest else ()


def openers(run_id: str, index: int, places: Places) -> list[tuple[str, Opener]]:
    """Each file's path with a way to open it where it is stored.

    Raises:
        RunUnknown
    """
    runs, manifest = _find(run_id, index, places)
    if manifest is None:
        return []
    return [(file.path, partial(_open, runs, manifest, file.path)) for file in manifest.files]


def read(run_id: str, index: int, path: str, places: Places) -> bytes:
    """The content of one file, verified.

    Raises:
        RunUnknown
        ResultUnknown: the index has no such file.
        ResultAltered: what is stored is not what the manifest says.
    """
    _, manifest = _find(run_id, index, places)
    if manifest is None:
        raise ResultUnknown(path, run_id, index, ())
    return content(manifest, path, places)


def content(manifest: Manifest, path: str, places: Places) -> bytes:
    """As `read`, of an index whose manifest is known."""
    known = {file.path: file for file in manifest.files}
    if path not in known:
        raise ResultUnknown(path, manifest.run, manifest.index, list(known)[:_SHOWN])
    with _open(Runs.at(places), manifest, path) as stream:
        data = stream.read()
    _compare(known[path], len(data), hashlib.sha256(data).hexdigest())
    return data


def fetch(
    run_id: str,
    index: int,
    places: Places,
    destination: Path,
    patterns: Sequence[str] = (),
) -> list[Path]:
    """Fetch files (those that match a pattern, where any is given) and return where they are.

    Each is verified before it has its name. Files of the same name are replaced. The destination
    is made where there is something to fetch.

    Raises:
        RunUnknown
        ResultUnknown: a pattern matches nothing.
        ResultAltered: what is stored is not what the manifest says, or its path would leave the
            destination.
        DiskFull
    """
    _, manifest = _find(run_id, index, places)
    if manifest is None:
        if patterns:
            raise ResultUnknown(patterns[0], run_id, index, ())
        return []
    return fetch_of(manifest, places, destination, patterns)


def fetch_of(
    manifest: Manifest, places: Places, destination: Path, patterns: Sequence[str] = ()
) -> list[Path]:
    """As `fetch`, of an index whose manifest is known."""
    runs = Runs.at(places)
    chosen = list(_chosen(manifest, patterns))
    for file in chosen:
        _check_path(file.path)
    if not chosen:
        return []
    destination.mkdir(parents=True, exist_ok=True)
    one = partial(_fetch, runs, manifest, destination)
    at_once = runs.store.parallel
    if at_once == 1:
        return list(map(one, chosen))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(one, chosen))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _find(run_id: str, index: int, places: Places) -> tuple[Runs, Manifest | None]:
    """The store, and what became of the index; None while it has not ended."""
    with Observer(run_id, places) as observer:
        return observer.runs, observer.one(index).manifest


def _chosen(manifest: Manifest, patterns: Sequence[str]) -> Iterator[OutputFile]:
    wanted = [globs.compile_pattern(pattern) for pattern in patterns]
    for pattern, expression in zip(patterns, wanted, strict=True):
        if not any(globs.matches([expression], file.path) for file in manifest.files):
            some = [file.path for file in manifest.files[:_SHOWN]]
            raise ResultUnknown(pattern, manifest.run, manifest.index, some)
    for file in manifest.files:
        if not wanted or globs.matches(wanted, file.path):
            yield file


def _check_path(path: str) -> None:
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise ResultAltered(path, "its path would leave the destination")


def _open(runs: Runs, manifest: Manifest, path: str) -> BinaryIO:
    _check_path(path)
    key = RunKeys(manifest.run).file(manifest.index, manifest.attempt, path)
    try:
        return runs.store.open(key)
    except Missing:
        raise ResultAltered(path, "it is gone from the store") from None


def _fetch(runs: Runs, manifest: Manifest, destination: Path, file: OutputFile) -> Path:
    target = destination / file.path
    _make_folders(destination, file.path)
    temporary = target.with_name(f".sendoff-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with (
            disk.room(file.path, destination),
            _open(runs, manifest, file.path) as source,
            temporary.open("xb") as writing,
        ):
            size, digest = 0, hashlib.sha256()
            while piece := source.read(_PIECE):
                writing.write(piece)
                digest.update(piece)
                size += len(piece)
        _compare(file, size, digest.hexdigest())
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return target


def _make_folders(destination: Path, path: str) -> None:
    folder = destination
    for part in path.split("/")[:-1]:
        folder /= part
        with suppress(FileExistsError):
            folder.mkdir()
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise ResultAltered(path, f"{folder} is in the way, and no folder")


def _compare(file: OutputFile, size: int, sha256: str) -> None:
    if size != file.size:
        raise ResultAltered(file.path, f"it has {size} bytes; the manifest says {file.size}")
    if sha256 != file.sha256:
        raise ResultAltered(file.path, f"its sha256 is {sha256}; the manifest says {file.sha256}")
