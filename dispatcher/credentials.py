"""Credentials for the pods of one run: short-lived, and good for that run's keys only.

They come from the store's STS (AssumeRole with a policy in the request), which can only take away
from what the caller may do.
"""

from __future__ import annotations

import json
from typing import Any

from dispatcher.places import Places
from dispatcher.remote_store import address, provider
from dispatcher.runner.address import S3Address
from dispatcher.runner.keys import DATA, RunKeys
from dispatcher.runner.store_faults import StoreDenied
from dispatcher.store_errors import of_fault
from packer.record import Record

LIFETIME = 24 * 3600.0
"""Seconds that credentials are good for unless told otherwise."""
LONGEST = 7 * 24 * 3600.0
"""What stores issue at most."""
OF_ROLE = 12 * 3600.0
"""What AWS issues at most (STS, AssumeRole), where the role's own maximum is as long."""
SHORTEST = 3600.0
"""What is asked for less than this lasts as long as this."""


class Credentials(Record, frozen=True):
    """What opens the store to a run's pods; never stored with the run."""

    access_key: str
    secret_key: str
    session_token: str
    expires: str
    """UTC, ISO 8601 with seconds."""

    def __repr__(self) -> str:
        return f"Credentials(expires={self.expires!r})"


def policy(place: S3Address, run: str, *, data: bool) -> dict[str, Any]:
    """What a run's pods may do (IAM policy language 2012-10-17). Pure.

    Read all of the run; write what belongs to an index; see the names below the run's prefix; and
    with `data` read what runs are given, by its sha256. Never delete.
    """
    prefix = place.name(RunKeys(run).prefix)
    bucket = f"arn:aws:s3:::{place.bucket}"
    read = [f"{bucket}/{prefix}*"] + [f"{bucket}/{place.name(DATA)}*"] * data
    write = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    names = {"StringLike": {"s3:prefix": [f"{prefix}*"]}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": read},
            # Not the run's own record, nor its cancellation.
            {"Effect": "Allow", "Action": write, "Resource": [f"{bucket}/{prefix}*/*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [bucket],
                "Condition": names,
            },
        ],
    }


def lifetime(lasting: float, role: str = "") -> float:
    """Seconds for a run that may last so long; 0 where nobody knows. At most what stores issue."""
    longest = OF_ROLE if role else LONGEST
    return min(max(lasting, SHORTEST), longest) if lasting else longest


def issue(
    places: Places, run: str, *, data: bool = False, lifetime: float = LIFETIME
) -> Credentials:
    """Credentials for the pods of `run`; of the role of `places`, which AWS wants to be told.

    Raises:
        StoreFailed: there are no credentials to issue them with, or the store issues none.
    """
    from minio.credentials.providers import AssumeRoleProvider

    from dispatcher.runner.s3_patience import Patience, new_pool

    place = address(places)
    patience = Patience(place.url, of_fault)
    doing = "asking for a run's own credentials (STS AssumeRole)"
    own = patience.call(doing, provider().retrieve)
    if own.session_token:
        reason = "temporary credentials can't issue others"
        raise patience.fault(StoreDenied, doing, reason)
    issuer = AssumeRoleProvider(
        sts_endpoint=_sts(place),
        access_key=own.access_key,
        secret_key=own.secret_key,
        duration_seconds=int(max(lifetime, SHORTEST)),
        policy=json.dumps(policy(place, run, data=data), separators=(",", ":")),
        region=place.region,
        role_arn=places.role or None,
        role_session_name=run[:64],
        http_client=new_pool(1),
    )
    found = patience.call(doing, issuer.retrieve)
    expires = f"{found.expiration:%Y-%m-%dT%H:%M:%SZ}" if found.expiration else ""
    return Credentials(
        access_key=found.access_key,
        secret_key=found.secret_key,
        session_token=found.session_token or "",
        expires=expires,
    )


def _sts(place: S3Address) -> str:
    """AWS has hosts of its own for it; others answer where the bucket is."""
    if place.host.endswith(".amazonaws.com"):
        return f"https://sts.{place.region}.amazonaws.com"
    return place.endpoint
