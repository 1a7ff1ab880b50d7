"""Thousands of pods at a glance: as the table that kubectl shows, a hundredth of their size, or not
at all while their Job says that all of them run.
"""

from __future__ import annotations

import time

import msgspec

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.glimpse import Glimpse
from dispatcher.kubernetes.run_objects import ACTIVE, RUN, Job
from packer.record import decodable

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_REST = 4
"""Of how long a look took, the pause before the next one: it costs the server as well."""


class Column(msgspec.Struct, frozen=True):
    """The head of a column."""

    name: str


class Row(msgspec.Struct, frozen=True):
    """One object."""

    cells: list[str | int | float | bool | None]


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """Objects as a table (meta/v1, Table)."""

    column_definitions: list[Column]
    rows: list[Row] = []


class CrowdEye:
    """Asks for the table, and not more often than that is fair to the server."""

    def __init__(self, client: Client, run: str) -> None:
        self._client, self._run = client, run
        self._seen: dict[int, Glimpse] = {}
        self._again = 0.0
        self._ended: frozenset[int] | None = None
        self._all: dict[int, Glimpse] = {}

    def look(self, job: Job | None = None) -> dict[int, Glimpse]:
        """See `eye.Eye`."""
        if job and all_run(job):
            return self._running(job)
        began = time.monotonic()
        if began >= self._again:
            query = {
                "labelSelector": f"{RUN}={self._run}",
                "fieldSelector": ACTIVE,
                "includeObject": "None",
                # As the server has it in memory, which is a matter of milliseconds behind.
                "resourceVersion": "0",
            }
            table = self._client.get(self._client.paths.pods, query, accept=_TABLE)
            self._seen = read(table, self._run)
            self._again = time.monotonic() + _REST * (time.monotonic() - began)
        return self._seen

    def _running(self, job: Job) -> dict[int, Glimpse]:
        """All that have not ended; made anew where others have."""
        ended = job.status.ended
        if ended != self._ended:
            self._ended = ended
            self._all = {
                index: Glimpse(
                    name=f"{self._run}-{index}", completion=index, state="running", placed=True
                )
                for index in range(job.spec.completions or 0)
                if index not in ended
            }
        return self._all

    def close(self) -> None:
        """Nothing is open."""


def all_run(job: Job) -> bool:
    """Whether a Job says that a pod of every index that has not ended is ready.

    Once it is being deleted it says nothing new.
    """
    status, left = job.status, (job.spec.completions or 0) - len(job.status.ended)
    return not job.metadata.deletion_timestamp and 0 < left == status.active == status.ready


def read(table: bytes, run: str) -> dict[int, Glimpse]:
    """The pods of a table by completion index; an index's pod is called `<run>-<index>-<letters>`.

    Raises:
        ValueError: it is no table of pods.
    """
    found = msgspec.json.decode(table, type=decodable(Table))
    heads = [column.name for column in found.column_definitions]
    name, state, node = heads.index("Name"), heads.index("Status"), heads.index("Node")
    seen = {}
    for row in found.rows:
        called = str(row.cells[name])
        index = called.removeprefix(f"{run}-").partition("-")[0]
        if index.isdigit():
            seen[int(index)] = Glimpse(
                name=called,
                completion=int(index),
                state="running" if row.cells[state] == "Running" else "queued",
                placed=row.cells[node] not in ("", "<none>", None),
            )
    return seen
