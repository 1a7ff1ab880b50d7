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
        self._job: Job | None = None
        self._told: dict[int, Glimpse] = {}
        """What that Job says, which is looked at more often than it is read."""

    def look(self, job: Job | None = None) -> dict[int, Glimpse]:
        """See `eye.Eye`."""
        if job is not self._job:
            self._job, self._told = job, all_run(job) if job else {}
        if self._told:
            return self._told
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

    def close(self) -> None:
        """Nothing is open."""


def all_run(job: Job) -> dict[int, Glimpse]:
    """The pods of a Job that says that every index which has not ended has one that is ready; none
    where it does not. Once it is being deleted it says nothing new.
    """
    status = job.status
    if job.metadata.deletion_timestamp or not 0 < status.active == status.ready:
        return {}
    ended = status.ended
    left = [index for index in range(job.spec.completions or 0) if index not in ended]
    if len(left) != status.active:
        return {}
    return {
        index: Glimpse(
            name=f"{job.metadata.name}-{index}", completion=index, state="running", placed=True
        )
        for index in left
    }


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
