"""What can go wrong with a store that is far away. See `packer.errors` for the form."""

from __future__ import annotations

from dispatcher.runner import store_faults
from packer.errors import SendoffError


class StoreFailed(SendoffError):
    """The store did not do what it was asked; `doing` and `reason` say what, and why."""

    code, phase = "STORE_FAILED", "store"
    words = "failed"
    remedy = "sendoff doctor"

    def __init__(self, store: str, doing: str, reason: str) -> None:
        super().__init__(store, doing, reason)
        self.store, self.doing, self.reason = store, doing, reason

    def what(self) -> str:
        return f"the store {self.store} {self.words}"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.doing

    def fix(self) -> str:
        return self.remedy


class StoreUnreachable(StoreFailed):
    """It could not be reached, or was not well, for as long as was allowed."""

    code, retryable = "STORE_UNREACHABLE", True
    words = "can't be reached"


class StoreDenied(StoreFailed):
    """It refuses the credentials, or there are none."""

    code = "STORE_DENIED"
    words = "refused access"
    remedy = (
        "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…, or put them into ~/.aws/credentials"
    )


class StoreCredentialsExpired(StoreDenied):
    """The credentials' time is over."""

    code = "STORE_CREDENTIALS_EXPIRED"
    words = "takes these credentials no longer"
    remedy = "get new ones, and export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN"


class BucketMissing(StoreFailed):
    """There is no such bucket."""

    code = "BUCKET_MISSING"
    words = "has no such bucket"

    def fix(self) -> str:
        return f"make the bucket of {self.store}, or name another: export SENDOFF_STORE=…"


class ClockSkew(StoreFailed):
    """This machine's clock and the store's differ by more than 15 minutes."""

    code = "CLOCK_SKEW"
    words = "refused the time of day"
    remedy = "set this machine's clock, or the store's: timedatectl set-ntp true"


class StoreRefused(StoreFailed):
    """It refuses the request itself."""

    code = "STORE_REFUSED"
    words = "refused a request"


class UploadLost(StoreRefused):
    """Another client went on with the same upload in parts, and ended it or changed its parts."""

    retryable = True


class StoreExposed(StoreFailed):
    """Credentials and results would cross an open network in clear text."""

    code = "STORE_EXPOSED"
    words = "is not in a private network, and is not encrypted"
    remedy = "use https://, or allow it: export SENDOFF_STORE_INSECURE=true"


class StoreAddressInvalid(StoreFailed):
    """The store's address is neither a directory nor a bucket's URL."""

    code, phase = "STORE_ADDRESS_INVALID", "configuration"
    words = "is no address of a store"
    remedy = "export SENDOFF_STORE=https://HOST[:PORT]/BUCKET[/PREFIX], or a directory"


_KINDS: dict[type[store_faults.StoreFault], type[StoreFailed]] = {
    store_faults.StoreUnreachable: StoreUnreachable,
    store_faults.StoreDenied: StoreDenied,
    store_faults.CredentialsExpired: StoreCredentialsExpired,
    store_faults.BucketMissing: BucketMissing,
    store_faults.ClockSkew: ClockSkew,
    store_faults.StoreRefused: StoreRefused,
    store_faults.UploadLost: UploadLost,
}


def of_fault(fault: store_faults.StoreFault) -> StoreFailed:
    """The error for a fault of the store."""
    return _KINDS.get(type(fault), StoreFailed)(fault.store, fault.doing, fault.reason)
