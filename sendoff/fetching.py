"""Files of several indexes, fetched into folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.errors import ResultUnknown

if TYPE_CHECKING:
    from sendoff.handle import Index


def fetch(
    indexes: Sequence[Index], directory: Path, patterns: Sequence[str]
) -> list[tuple[Index, Path]]:
    """Fetch the files into `directory`, of each of several indexes into a folder below it.

    A pattern has to match in one of the indexes at least.

    Raises:
        ResultUnknown, ResultAltered
    """
    if len(indexes) == 1:
        return [(indexes[0], path) for path in indexes[0].results(directory, *patterns)]
    fetched: list[tuple[Index, Path]] = []
    missing: ResultUnknown | None = None
    for index in indexes:
        try:
            paths = index.results(directory / str(index.number), *patterns)
        except ResultUnknown as error:
            missing = error
        else:
            fetched += [(index, path) for path in paths]
    if missing and not fetched:
        raise missing
    return fetched
