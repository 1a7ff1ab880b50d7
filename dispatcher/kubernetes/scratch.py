"""Whether a pod has room for what it is given. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.kubernetes.refusals import InputsTooLarge
from dispatcher.request import Data, Request

_NAMED = 5


def require(request: Request, limit: int) -> None:
    """Refuse data that is more than the bytes that a pod may write.

    Each is fetched once by a pod, whose inputs all have it by a link, and stays until its end.

    Raises:
        InputsTooLarge
    """
    if not request.given:
        return
    largest = max(_of_pods(request), key=_size)
    if _size(largest) > limit:
        named = sorted(largest, key=lambda each: -each.size)[:_NAMED]
        words = [f"{each.path}: {each.size / (1 << 30):.1f} GiB" for each in named]
        raise InputsTooLarge(_size(largest), limit, words)


def _of_pods(request: Request) -> Iterator[Sequence[Data]]:
    """What each pod fetches."""
    for first in range(0, len(request.inputs), request.per_pod):
        some = request.inputs[first : first + request.per_pod]
        fetched = (*request.data, *(each for one in some for each in one.data))
        yield [*{each.sha256: each for each in fetched}.values()]


def _size(data: Sequence[Data]) -> int:
    return sum(each.size for each in data)
