"""A directory for what is only passed on: environments and bases as a builder wrote them.

It lies where everything else of that size does, for files to be linked and moved, and because a
`/tmp` may be small, or memory. What killed ones left is removed by the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packer import disk

FOLDER = "work"
"""Below the cache."""
_OWNERS = ".owners"


@contextmanager
def workplace(cache: Path, what: str) -> Iterator[Path]:
    """An empty directory to make `what` in, gone afterwards. Its path is absolute.

    Raises:
        DiskFull: there is no room for it.
    """
    root = (cache / FOLDER).absolute()
    # Each directory is as good as the file of its name here, which its maker locks and outlives.
    owners = disk.Incoming(root / _OWNERS)
    with disk.room(what, root):
        owners.root.mkdir(parents=True, exist_ok=True)
        owners.sweep()
        _sweep(root, owners.root)
        with owners.file() as (_, owner):
            place = root / owner.name
            place.mkdir(mode=0o700)
            try:
                # Before it goes, while it takes the room that something lacks.
                with disk.room(what, root):
                    yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)


def _sweep(root: Path, owners: Path) -> None:
    for place in root.iterdir():
        if place != owners and not (owners / place.name).exists():
            shutil.rmtree(place, ignore_errors=True)
