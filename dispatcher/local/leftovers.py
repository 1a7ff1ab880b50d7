"""Working directories that nobody will clean: those of runs whose supervisor was killed."""

from __future__ import annotations

import json
import os
import time

from dispatcher.liveness import is_held
from dispatcher.local.workspace import remove
from dispatcher.runner.keys import RunKeys
from dispatcher.runner.store import DirectoryStore, Missing

# A runner that has lost its supervisor may still be within its grace.
_AGE = 3600.0


def sweep(state: str, store: DirectoryStore) -> None:
    """Remove what is old and of no use; what could not be stored is kept for its owner."""
    for run in _names(f"{state}/work"):
        if is_held(f"{state}/runs/{run}/lock"):
            continue
        for name in _names(f"{state}/work/{run}"):
            folder = f"{state}/work/{run}/{name}"
            index = int(name.partition("-")[0])
            old = time.time() - os.stat(folder).st_mtime > _AGE
            kept = os.path.exists(f"{state}/runs/{run}/{index}.json")
            if old and not kept and not incomplete(store, RunKeys(run), index):
                remove(folder)
        if not _names(f"{state}/work/{run}"):
            os.rmdir(f"{state}/work/{run}")


def incomplete(store: DirectoryStore, keys: RunKeys, index: int) -> bool:
    """Whether results of an index are missing in the store, and so must stay where they are."""
    try:
        manifest = json.loads(store.get(keys.manifest(index)))
    except Missing:
        return False
    return any(text.startswith("UPLOAD_INCOMPLETE") for text in manifest.get("warnings", ()))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
