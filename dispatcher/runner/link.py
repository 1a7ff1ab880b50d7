"""A pod's way to its store, opened by whoever needs it first."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .pod_credentials import PodCredentials
    from .store import Store


class Link:
    """Opening an S3 store takes a while: its client is imported then, not before."""

    def __init__(self, place: dict[str, Any], credentials: PodCredentials) -> None:
        """`place` is as in a `PodAssignment`."""
        self._place, self._credentials = place, credentials
        self._lock = threading.Lock()
        self._store: Store | None = None

    def store(self) -> Store:
        """The store; any thread may ask.

        Raises:
            ValueError: it is of an unknown kind, or its URL means nothing.
            ImportError: the runner's libraries are not in the image.
        """
        with self._lock:
            if self._store is None:
                self._store = self._open()
            return self._store

    def require_credentials(self) -> None:
        """See to it that a command is not started whose results the store would not take.

        Raises:
            CredentialsExpired
        """
        if until := self._credentials.expired():
            from .store_faults import CredentialsExpired

            reason = f"they were good until {until}"
            raise CredentialsExpired(self._place.get("url", ""), "starting the command", reason)

    def _open(self) -> Store:
        kind = self._place.get("kind")
        if kind == "directory":
            from .store import DirectoryStore

            return DirectoryStore(self._place["path"])
        if kind != "s3":
            raise ValueError(f"a store of the kind {kind!r}")
        from .address import S3Address
        from .isolation import use_library

        use_library()
        from .s3_credentials import FileProvider
        from .s3_store import S3Store

        address = S3Address(self._place["url"], self._place.get("region", ""))
        return S3Store(address, FileProvider(self._credentials))
