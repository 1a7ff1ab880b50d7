"""What is asked of an S3 store again, for how long, and what it means in the end."""

from __future__ import annotations

import math
import os
import random
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime

import certifi
import urllib3
from minio.error import InvalidResponseError, S3Error, ServerError

from . import store_faults as faults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any, TypeVar

    T = TypeVar("T")

_CONNECT, _READ = 5.0, 30.0
_PATIENCE = 20.0
_FIRST, _LONGEST = 0.1, 5.0
_UNWELL = frozenset({429, 500, 502, 503, 504})
# Answers of 400 and 409: a body that came too slowly, and two conditional writes at once.
_AGAIN = frozenset({"ConditionalRequestConflict", "OperationAborted", "RequestTimeout"})
# Among them what minio raises where there are no credentials, and for XML that is none.
_ANSWERS = (S3Error, ServerError, InvalidResponseError, ValueError, SyntaxError)
_EXPIRED = frozenset({"ExpiredToken", "InvalidTokenId", "TokenRefreshRequired"})
_KINDS: dict[str, type[faults.StoreFault]] = {
    "AccessDenied": faults.StoreDenied,
    "AuthorizationHeaderMalformed": faults.StoreDenied,
    "InvalidAccessKeyId": faults.StoreDenied,
    "NoSuchBucket": faults.BucketMissing,
    "RequestTimeTooSkewed": faults.ClockSkew,
    "SignatureDoesNotMatch": faults.StoreDenied,
    **dict.fromkeys(_EXPIRED, faults.CredentialsExpired),
}


class Unwell(Exception):
    """An answer that says: later (429, 5xx). `after` is its Retry-After in seconds, else 0."""

    def __init__(self, status: int, after: float, words: str) -> None:
        super().__init__(f"it answered {status} {words}".rstrip())
        self.after = after


class Pool(urllib3.PoolManager):
    """Connections whose answers of the kind "later" are told before minio reads them."""

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:  # type: ignore[override]
        """As in urllib3.

        Raises:
            Unwell
        """
        response = super().urlopen(method, url, redirect, **options)
        if response.status not in _UNWELL:
            return response
        words = _words(response.data)
        response.release_conn()
        raise Unwell(response.status, _after(response.headers.get("Retry-After", "")), words)


def new_pool(size: int) -> Pool:
    """Connections to one server, `size` of which stay open; `$SSL_CERT_FILE` says whom to trust.

    They are asked again by `Patience` and not by urllib3, which knows no deadline over all tries.
    """
    return Pool(
        timeout=urllib3.Timeout(connect=_CONNECT, read=_READ),
        maxsize=size,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        retries=False,
    )


class Patience:
    """Asks again with growing pauses, until one deadline for all tries of a call.

    With a `span` a store may be away for so long each time: the deadline moves on with whatever it
    does meanwhile, for whichever call; a call that fails for so long is given up all the same.
    `raised` makes what is raised out of a `StoreFault`. `renewed` says that other credentials will
    come in place of expired ones.
    """

    def __init__(
        self,
        store: str,
        raised: Callable[[faults.StoreFault], Exception],
        *,
        renewed: bool = False,
    ) -> None:
        self.until: float | None = None
        """The moment of the monotonic clock to give up at; None: 20 s after a call began.

        With a span, the moment to give up at in any case.
        """
        self._span: float | None = None
        self._away: float | None = None
        self._store, self._raised, self._renewed = store, raised, renewed

    def bear(self, span: float | None) -> None:
        """Let the store be away for so many seconds at a time; None: 20 s from a call's begin."""
        self._span, self._away = span, None

    def answered(self) -> None:
        """The store has just done something."""
        self._away = None

    def call(self, doing: str, request: Callable[[], T], expected: Container[int] = ()) -> T:
        """The answer to a request.

        Raises:
            S3Error: an answer with one of the `expected` statuses.
            StoreFault: any other, or none; as `raised` makes it.
        """
        began, pause = time.monotonic(), _FIRST
        failed: float | None = None
        while True:
            try:
                answer = request()
            except (urllib3.exceptions.HTTPError, Unwell, OSError) as error:
                again, wait = not _hopeless(error), getattr(error, "after", 0.0)
                judged = self.fault(faults.StoreUnreachable, doing, _reason(error))
            except _ANSWERS as error:
                again, wait = self._worth_asking_again(error), 0.0
                judged = self._judged(doing, error, expected)
                if not again:
                    self.answered()
            else:
                self.answered()
                return answer
            wait = wait or pause * random.uniform(0.5, 1)  # noqa: S311 (no secret)
            pause = min(2 * pause, _LONGEST)
            failed = failed or time.monotonic()
            if not again or time.monotonic() + wait > self._deadline(began, failed):
                raise judged
            time.sleep(wait)

    def _deadline(self, began: float, failed: float) -> float:
        """The moment to give up at, as it is now: it may have been set while a call was made.

        A store that answers others ever since a call first `failed` will not answer this one.
        """
        if self._span is None:
            return self.until or began + _PATIENCE
        self._away = self._away or failed
        return min(min(self._away, failed) + self._span, self.until or math.inf)

    def fault(self, kind: type[faults.StoreFault], doing: str, reason: str) -> Exception:
        """What to raise for a fault of this kind."""
        return self._raised(kind(self._store, doing, reason))

    def _worth_asking_again(self, error: Exception) -> bool:
        if not isinstance(error, S3Error):
            return False
        return error.code in _AGAIN or (error.code in _EXPIRED and self._renewed)

    def _judged(self, doing: str, error: Exception, expected: Container[int]) -> Exception:
        if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
            # What minio's providers raise where there are no credentials.
            return self.fault(faults.StoreDenied, doing, _line(error))
        if not isinstance(error, S3Error):
            return self.fault(faults.StoreRefused, doing, _line(error))
        known = error.code in _KINDS and error.code != "AccessDenied"
        if error.response.status in expected and not known:
            return error
        kind = _KINDS.get(error.code or "", faults.StoreRefused)
        words = _skew(error) if kind is faults.ClockSkew else f"{error.code}: {error.message}"
        return self.fault(kind, doing, words)


def _hopeless(error: Exception) -> bool:
    """Whether asking again can't help: a certificate is not trusted, a URL makes no sense."""
    return isinstance(error, urllib3.exceptions.SSLError | urllib3.exceptions.LocationValueError)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return str(error).rpartition(": ")[2]
    return _line(error)


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__


def _after(header: str) -> float:
    """Retry-After (RFC 9110 10.2.3): seconds, or a date."""
    with suppress(ValueError):
        return max(0.0, float(header))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    return 0.0


def _words(body: bytes) -> str:
    """The code and message of an S3 error (XML), or nothing."""
    text = body.decode(errors="replace")
    found = [text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("Code", "Message")]
    return ": ".join(filter(None, found))


def _skew(error: S3Error) -> str:
    try:
        theirs = parsedate_to_datetime(error.response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return "they differ by more than 15 minutes"
    ahead = time.time() - theirs
    return f"this clock is {abs(ahead) / 60:.0f} min {'ahead of' if ahead > 0 else 'behind'} it"
