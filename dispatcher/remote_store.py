"""A bucket as this machine's store: with the credentials of whoever uses it."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from dispatcher.places import Places
from dispatcher.runner.address import REGION, S3Address
from dispatcher.store_errors import StoreAddressInvalid, StoreExposed, of_fault

if TYPE_CHECKING:
    from minio.credentials.providers import Provider

    from dispatcher.runner.s3_store import S3Store


def at(places: Places) -> S3Store:
    """The store at the address in `places`; the same one for the same address.

    Raises:
        StoreAddressInvalid, StoreExposed
    """
    found = address(places)
    return _opened(found.url, found.region, os.getpid())


def address(places: Places) -> S3Address:
    """Where the bucket is.

    Raises:
        StoreAddressInvalid, StoreExposed
    """
    region = places.region or os.environ.get("AWS_REGION") or REGION
    try:
        found = S3Address(places.store, region)
    except ValueError as error:
        raise StoreAddressInvalid(places.store, "reading the configuration", str(error)) from None
    if found.exposed() and not places.insecure:
        raise StoreExposed(found.url, "before anything was sent", f"{found.host} is a public host")
    return found


def provider() -> Provider:
    """Credentials from where minio and AWS clients keep them, the first that has any."""
    from minio.credentials import providers

    chain: list[Provider] = [
        providers.EnvAWSProvider(),
        providers.EnvMinioProvider(),
        providers.AWSConfigProvider(),
        providers.MinioClientConfigProvider(),
    ]
    # Without one of these it would ask an address that only AWS's own machines answer.
    if any(name in os.environ for name in _INSTANCE):
        chain.append(providers.IamAwsProvider())
    return providers.ChainedProvider(chain)


_INSTANCE = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@lru_cache(maxsize=8)
def _opened(url: str, region: str, process: int) -> S3Store:  # noqa: ARG001 (not to be shared)
    from dispatcher.runner.s3_store import S3Store

    return S3Store(S3Address(url, region), provider(), of_fault)
