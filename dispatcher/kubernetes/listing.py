"""Lists of objects, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from dispatcher.kubernetes.answers import GONE, Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.objects import ListMeta
from packer.record import decodable

T = TypeVar("T")

PAGE = 500
"""Objects in an answer, as kubectl asks for; the server holds one page at a time for us."""


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """Objects as they were at one instant."""

    items: list[T]
    metadata: ListMeta = ListMeta()

    @property
    def version(self) -> str:
        """From where a watch goes on."""
        return self.metadata.resource_version


def everything(
    client: Client, path: str, kind: type[T], query: Mapping[str, str] | None = None
) -> Listed[T]:
    """All objects at `path` that `query` selects, of one instant.

    Raises:
        Refusal, and what `Client` raises.
    """
    while True:
        try:
            pages = list(_pages(client, path, kind, dict(query or {})))
        except Refusal as refusal:
            # The instant that the pages are of has been forgotten meanwhile: another one then.
            if refusal.status != GONE:
                raise
        else:
            items = [item for page in pages for item in page.items]
            return Listed(items, pages[0].metadata)


def _pages(client: Client, path: str, kind: type[T], query: dict[str, str]) -> Iterator[Listed[T]]:
    decoder = msgspec.json.Decoder(decodable(Listed[kind]))  # type: ignore[valid-type]
    query["limit"] = str(PAGE)
    while True:
        page = decoder.decode(client.get(path, query))
        yield page
        if not page.metadata.continue_:
            return
        query["continue"] = page.metadata.continue_
