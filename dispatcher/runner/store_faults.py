"""What an object store may answer instead of doing what it was asked."""

from __future__ import annotations


class StoreFault(OSError):
    """A store did not do what it was asked; nothing more will come of trying now.

    `reason` is its own words, or the system's.
    """

    code = "STORE_FAILED"
    words = "the store failed"

    def __init__(self, store: str, doing: str, reason: str) -> None:
        super().__init__(f"{self.words}: {doing}: {reason}")
        self.store, self.doing, self.reason = store, doing, reason


def told(error: OSError) -> str:
    """The words of an error, after its code where it has one: whoever reads the log goes by it."""
    return f"{error.code}: {error}" if isinstance(error, StoreFault) else str(error)


class StoreUnreachable(StoreFault):
    """It could not be reached, or was not well, for as long as was allowed."""

    code = "STORE_UNREACHABLE"
    words = "the store can't be reached"


class StoreDenied(StoreFault):
    """It refuses these credentials, or what they ask for."""

    code = "STORE_DENIED"
    words = "the store refused access"


class CredentialsExpired(StoreDenied):
    """The credentials' time is over, and no newer ones are there."""

    code = "STORE_CREDENTIALS_EXPIRED"
    words = "the credentials for the store have expired"


class BucketMissing(StoreFault):
    """There is no such bucket."""

    code = "BUCKET_MISSING"
    words = "the store has no such bucket"


class ClockSkew(StoreFault):
    """This machine's clock and the store's differ by more than 15 minutes (S3: 403)."""

    code = "CLOCK_SKEW"
    words = "this machine's clock is wrong, or the store's"


class StoreRefused(StoreFault):
    """It refuses the request itself: a name too long, no room, something it does not know."""

    code = "STORE_REFUSED"
    words = "the store refused"


class UploadLost(StoreRefused):
    """An upload in parts is over, or has other parts: another client went on with it as well."""
