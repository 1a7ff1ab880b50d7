"""The runner's own short-lived credentials: a file that is replaced before they expire."""

from __future__ import annotations

import json
import os

from minio.credentials.credentials import Credentials
from minio.credentials.providers import Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    Trace = tuple[int, int]


class FileProvider(Provider):
    """`{access_key, secret_key, session_token, expires}` as JSON, read again when it changes.

    A Secret that is mounted as a file is changed some time (a minute or so) after its update.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._trace: Trace | None = None
        self._credentials: Credentials | None = None

    def retrieve(self) -> Credentials:
        """The credentials as they are now.

        Raises:
            ValueError: the file is not there, or holds none.
        """
        self._read()
        if self._credentials is None:
            raise ValueError(f"there are no credentials in {self._path}")
        return self._credentials

    def _read(self) -> None:
        try:
            status = os.stat(self._path)
            trace = (status.st_ino, status.st_mtime_ns)
            if trace == self._trace:
                return
            with open(self._path, "rb") as stream:
                found = json.loads(stream.read())
        except (OSError, ValueError):
            # In the middle of being replaced, or gone with the Job: what was read before may hold.
            return
        self._trace = trace
        self._credentials = Credentials(
            found["access_key"], found["secret_key"], found.get("session_token") or None
        )
