"""The files that a runner in a container is started with: its assignment, and credentials."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dispatcher.places import Places
from dispatcher.request import Data, Input
from dispatcher.run import Run
from dispatcher.runner.address import is_s3
from dispatcher.runner.pod_assignment import CREDENTIALS, FORMAT, NAME
from packer.record import Record, encode

if TYPE_CHECKING:
    from dispatcher.credentials import Credentials

_LARGE = 200_000
"""Bytes from which an assignment is compressed: a Secret holds a megabyte, all told."""


class PodTerms(Record, frozen=True):
    """What of a runner's surroundings its request does not say."""

    store: dict[str, Any]
    """As `PodAssignment.store`, as the container reaches it."""
    per_pod: int = 1
    """Inputs that one container works through."""
    memory: int = 0
    """Bytes that the container may use."""
    patience: float = 300.0
    """As `PodAssignment.patience`."""
    retries: int | None = None
    """As `PodAssignment.retries`."""
    restarted: bool = False
    """As `PodAssignment.restarted`."""
    sent: float = 0
    """As `PodAssignment.sent`."""
    pulling: float | None = None
    """As `PodAssignment.pulling`."""


def assignment(run: Run, terms: PodTerms) -> dict[str, bytes]:
    """The file that tells a runner what to do, by name; compressed where it is large."""
    request = run.request
    told = {
        "format": FORMAT,
        "run": run.id,
        "store": terms.store,
        "inputs": [_input(each) for each in request.inputs],
        "per_pod": terms.per_pod,
        "outputs": request.outputs,
        "file_limit": request.result_files,
        "byte_limit": request.result_size,
        "timeout": request.timeout,
        "grace": request.grace,
        "retries": terms.retries,
        "patience": terms.patience,
        "memory": terms.memory,
        "environment": request.environment,
        "secrets": request.secrets,
        "data": _data(request.data),
        **_if_known(
            idle_limit=request.idle_limit and request.idle_limit.told,
            restarted=terms.restarted,
            sent=terms.sent,
            pulling=terms.pulling,
        ),
    }
    data = json.dumps(told, separators=(",", ":")).encode()
    if len(data) <= _LARGE:
        return {NAME: data}
    return {f"{NAME}.gz": gzip.compress(data, 1, mtime=0)}


def _if_known(**fields: Any) -> dict[str, Any]:
    """Left out where there is nothing to tell: runners of older images know no such field."""
    return {name: value for name, value in fields.items() if value}


def bucket(places: Places) -> dict[str, Any]:
    """A bucket as `PodAssignment.store`, under the address that containers reach it by.

    Raises:
        StoreAddressInvalid, StoreExposed
    """
    from dispatcher import remote_store

    found = remote_store.address(places)
    url = places.store_in_cluster or found.url
    return {"kind": "s3", "url": url, "region": found.region}


def credentials(run: Run, places: Places, lasting: float) -> dict[str, bytes]:
    """The file with credentials for this run alone, by name; none for a store of this machine.

    `lasting` is how long it may last in all, in seconds; 0 where nobody knows.

    Raises:
        StoreFailed: the store issues none.
    """
    return {CREDENTIALS: encode(issued(run, places, lasting))} if is_s3(places.store) else {}


def issued(run: Run, places: Places, lasting: float) -> Credentials:
    """Credentials for this run alone, whose store is a bucket; `lasting` as above.

    Raises:
        StoreFailed: the store issues none.
    """
    from dispatcher import credentials as issuing

    return issuing.issue(
        places,
        run.id,
        data=bool(run.request.given),
        lifetime=issuing.lifetime(lasting, places.role),
    )


def _input(asked: Input) -> dict[str, Any]:
    told: dict[str, Any] = {"command": asked.command, "digest": asked.digest}
    return told | ({"data": _data(asked.data)} if asked.data else {})


def _data(data: Sequence[Data]) -> list[dict[str, Any]]:
    if not data:
        return []
    from dispatcher import inputs

    return inputs.told(data)
