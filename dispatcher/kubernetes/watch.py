"""List, then watch: objects as they are, then what changes, whatever becomes of connections.

The official client's watch never advances its version where it decodes nothing, has no time-out,
and its informer asks in a tight loop where that is forbidden; so it is done here.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Generic, Literal, TypeVar

import msgspec

from dispatcher.kubernetes.answers import GONE, Refusal, Status
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ClusterFailing, ClusterUnreachable
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.objects import ListMeta
from dispatcher.kubernetes.stream import Stream, StreamCut
from packer.record import Record, decodable

T = TypeVar("T")


class Timing(Record, frozen=True):
    """Seconds."""

    silence: float = 90
    """A watch that is still for so long is taken for dead; servers send a bookmark each minute."""
    window: int = 290
    """After this a watch ends by itself and another begins."""
    relist: float = 600
    """After this everything is listed again, in case a server has lost something."""
    pause: float = 0.2
    longest_pause: float = 30
    """Between attempts, doubled from the one to the other."""


class Change(msgspec.Struct, Generic[T], frozen=True):
    """What happened. "listed" is all there is: what is not in it is gone."""

    kind: Literal["listed", "changed", "deleted"]
    objects: list[T]


class _Meta(msgspec.Struct, frozen=True):
    metadata: ListMeta = ListMeta()


class _Line(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class Watch(Generic[T]):
    """One selection of objects of one kind. `close` ends it from any thread."""

    def __init__(
        self,
        client: Client,
        path: str,
        kind: type[T],
        query: Mapping[str, str],
        timing: Timing | None = None,
    ) -> None:
        self._client, self._path, self._kind = client, path, kind
        self._query, self._timing = dict(query), timing or Timing()
        self._closed = threading.Event()
        self._stream: Stream | None = None
        self._decoder = msgspec.json.Decoder(decodable(kind))
        self._version = ""
        self._listed = 0.0
        self._failures = 0

    def changes(self) -> Iterator[Change[T]]:
        """First a list, then what changes, until it is closed.

        Raises:
            SendoffError: what can't get better by waiting, such as ApiForbidden.
        """
        while not self._closed.is_set():
            try:
                if self._outdated:
                    yield self._list()
                yield from self._watch()
                self._failures = 0
            except (StreamCut, ClusterUnreachable, ClusterFailing):
                self._wait()
            except Refusal as refusal:
                if refusal.status != GONE:
                    raise
                self._version = ""

    def go_on_from(self, version: str) -> None:
        """Begin with what changes after this version, of which there is a list already."""
        self._version, self._listed = version, time.monotonic()

    def close(self) -> None:
        """End it."""
        self._closed.set()
        stream = self._stream
        if stream:
            stream.close()

    @property
    def _outdated(self) -> bool:
        return not self._version or time.monotonic() - self._listed > self._timing.relist

    def _list(self) -> Change[T]:
        listed = everything(self._client, self._path, self._kind, self._query)
        self._version, self._listed = listed.version, time.monotonic()
        return Change("listed", listed.items)

    def _watch(self) -> Iterator[Change[T]]:
        query = {
            **self._query,
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._timing.window),
        }
        began, lines = time.monotonic(), 0
        with self._client.stream(self._path, query, self._timing.silence) as stream:
            self._stream = stream
            if self._closed.is_set():
                return
            for lines, line in enumerate(stream, 1):  # noqa: B007 (needed after the loop)
                change = self._read(line)
                self._failures = 0
                if change:
                    yield change
        if not lines and time.monotonic() - began < self._timing.pause:
            raise StreamCut("the watch ended at once")

    def _read(self, line: bytes) -> Change[T] | None:
        """What a line says, and from where to go on after it.

        Raises:
            Refusal: the server can't go on from where we are.
            StreamCut: something went wrong on its side.
        """
        try:
            said = msgspec.json.decode(line, type=decodable(_Line))
        except msgspec.DecodeError as error:
            # A proxy or a login page has answered: a list says so, if it goes on.
            raise StreamCut("no line of a watch") from error
        if said.type == "ERROR":
            status = msgspec.json.decode(said.object, type=decodable(Status))
            if status.code == GONE:
                raise Refusal(GONE, status)
            raise StreamCut(status.message)
        self._version = msgspec.json.decode(
            said.object, type=decodable(_Meta)
        ).metadata.resource_version
        if said.type == "BOOKMARK":
            return None
        kind: Literal["changed", "deleted"] = "deleted" if said.type == "DELETED" else "changed"
        return Change(kind, [self._decoder.decode(said.object)])

    def _wait(self) -> None:
        self._failures += 1
        most = min(self._timing.pause * 2**self._failures, self._timing.longest_pause)
        self._closed.wait(random.uniform(self._timing.pause, most))  # noqa: S311 (no secret)
