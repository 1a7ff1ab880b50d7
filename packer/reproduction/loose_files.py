"""The files of an environment that came without a wheel, out of the image that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packer.digest import Digest
from packer.environment.lock import Lock, PinnedFile
from packer.image_paths import PREFIX
from packer.images.shelf import Shelf
from packer.layers.layer import Layer
from packer.progress import SILENT
from packer.reproduction.errors import RecordDamaged
from packer.reproduction.unpacking import unpack

_BELOW = PREFIX[1:] + "/"


def pinned(lock: Lock) -> dict[str, PinnedFile]:
    """Path below the prefix → file; what is laid over others wins."""
    files = [file for pin in lock.files for file in pin.files]
    return {file.path: file for file in (*files, *lock.overlay)}


def find(
    lock: Lock, environment: Sequence[Layer], shelf: Shelf, folder: Path
) -> dict[str, Path | bytes]:
    """sha256 → where the file is now: below `folder`, as in the environment.

    Raises:
        RecordDamaged: the image has not what its lock says.
        As `Shelf`.
    """
    wanted = pinned(lock)
    if not wanted:
        return {}
    folder.mkdir(parents=True, exist_ok=True)

    def below(path: str) -> str | None:
        inner = path.removeprefix(_BELOW)
        return inner if inner != path and inner in wanted else None

    left = set(wanted)
    # Such files have the last layer but for one that makes the environment a virtual one.
    for layer in reversed(environment):
        seen = unpack((layer,), shelf, folder, below, SILENT)[0]
        left -= {path.removeprefix(_BELOW) for path in seen}
        if not left:
            break
    found: dict[str, Path | bytes] = {}
    for path, file in wanted.items():
        at = folder / path
        if not at.is_file() or Digest.of_file(at).hex != file.sha256:
            raise RecordDamaged(path, "the image has other bytes than its lock says")
        found[file.sha256] = at
    return found
