"""All manifests of a large run in one object: thousands of them one by one take ten seconds.

A manifest is never replaced, so a copy of all of them is as good as they are. It is written by
whoever first sees that the run has ended, and nothing is lost where nobody does.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from contextlib import suppress

from dispatcher.run import Manifest
from dispatcher.runner.keys import RunKeys
from dispatcher.runner.store import Missing
from dispatcher.store import Runs
from packer.errors import SendoffError
from packer.record import decode, encode

LARGE = 256
"""Manifests from which a copy is made."""
_MOST = 64 << 20
"""Bytes of a copy, uncompressed: it is read as a whole."""


def read(runs: Runs, run: str, count: int) -> dict[int, Manifest]:
    """The manifests of a run of `count` indexes by index; none where there is no copy of all."""
    if count < LARGE:
        return {}
    try:
        lines = gzip.decompress(runs.store.get(RunKeys(run).manifests)).splitlines()
        found = [decode(line, Manifest) for line in lines]
    except (Missing, ValueError, EOFError, zlib.error, gzip.BadGzipFile):
        # Written by a newer sendoff, or damaged: the manifests themselves say it all.
        return {}
    manifests = {each.index: each for each in found if each.run == run}
    return manifests if len(manifests) == count else {}


def write(runs: Runs, manifests: Sequence[Manifest | None]) -> None:
    """Leave a copy, if the run is large and all are there; who may not write leaves none."""
    if len(manifests) < LARGE or not all(manifests):
        return
    lines = b"\n".join(encode(each) for each in manifests)
    if len(lines) > _MOST:
        return
    key = RunKeys(next(each.run for each in manifests if each)).manifests
    with suppress(SendoffError, OSError):
        runs.store.put(key, gzip.compress(lines, 6, mtime=0))
