"""What a bucket can do: found out by doing it. Nothing is left behind but two small objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

from dispatcher import credentials, remote_store
from dispatcher.places import Places
from dispatcher.runner.keys import RunKeys
from dispatcher.runner.store import Exists, Missing
from dispatcher.store_errors import StoreDenied, StoreFailed, of_fault
from packer.record import Record

Ability = Literal["address", "bucket", "conditional write", "credentials for runs"]

PROBE = "sendoff-probe"
"""A run id that no run has: ids of runs end in a random part."""


class NoConditionalWrites(StoreFailed):
    """It overwrites what `If-None-Match: *` should have kept."""

    code = "STORE_NO_CONDITIONAL_WRITES"
    words = "overwrites what must be written once"
    remedy = "use a store that heeds If-None-Match: MinIO since 2024, AWS S3, Ceph since Squid"


class CredentialsTooWide(StoreFailed):
    """It issues credentials that are good for more than was asked for."""

    code = "STORE_CREDENTIALS_TOO_WIDE"
    words = "ignores the policy of the credentials it issues"
    remedy = "use a store whose STS heeds an inline policy: MinIO, AWS S3, Ceph"


class Finding(Record, frozen=True):
    """One thing that was tried."""

    ability: Ability
    note: str = ""
    """What was found, where it is there."""
    error: StoreFailed | None = None
    """Why it is not there."""


def probe(places: Places, patience: float) -> Iterator[Finding]:
    """Try everything a run needs of its store, as it is found out; ends after the first failure.

    All of it together may take `patience` seconds where the store does not answer.
    """
    steps: tuple[tuple[Ability, Callable[[Places], str]], ...] = (
        ("address", _address),
        ("bucket", _bucket),
        ("conditional write", _conditional_write),
        ("credentials for runs", _credentials),
    )
    give_up = time.monotonic() + patience
    for ability, step in steps:
        try:
            if ability != "address":
                remote_store.at(places).give_up_at(give_up)
            note = step(places)
        except StoreFailed as error:
            yield Finding(ability=ability, error=error)
            break
        yield Finding(ability=ability, note=note)
    if ability != "address":
        remote_store.at(places).give_up_at(None)


def _address(places: Places) -> str:
    return remote_store.address(places).url


def _bucket(places: Places) -> str:
    store = remote_store.at(places)
    store.names(RunKeys(PROBE).prefix)
    return f"{store.bucket.name} can be listed"


def _conditional_write(places: Places) -> str:
    store, key = remote_store.at(places), f"{RunKeys(PROBE).prefix}written-once"
    with suppress(Exists):
        store.put_new(key, b"first")
    try:
        store.put_new(key, b"second")
    except Exists:
        return "what is there is kept"
    raise NoConditionalWrites(store.root, f"writing {key} twice", "the second write was taken")


def _credentials(places: Places) -> str:
    from minio.credentials.providers import StaticProvider

    from dispatcher.runner.s3_store import S3Store

    # As long as runs get them, which a role may not allow.
    lifetime = credentials.lifetime(0, places.role)
    issued = credentials.issue(places, PROBE, lifetime=lifetime)
    place = remote_store.address(places)
    keys = StaticProvider(issued.access_key, issued.secret_key, issued.session_token)
    limited = S3Store(place, keys, of_fault)
    inside = RunKeys(PROBE).attempt(0, 1) + "written-by-a-run"
    limited.put(inside, b"probe")
    try:
        with suppress(Missing):
            limited.get(RunKeys(PROBE + "-other").record)
    except StoreDenied:
        return f"good for one run, until {issued.expires}"
    raise CredentialsTooWide(place.url, "reading another run's record", "it was not denied")
