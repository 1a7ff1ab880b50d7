"""The credentials of a pod's runner: files of a mounted Secret, which others may be put beside."""

from __future__ import annotations

import json
import os
import time

from .pod_assignment import CREDENTIALS, RENEWED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Trace = tuple[str, int, int]


class PodCredentials:
    """`{access_key, secret_key, session_token, expires}` as JSON, read again when it changes.

    A Secret that is mounted as a file is changed some time (a minute or so) after its update.
    """

    def __init__(self, folder: str) -> None:
        self._paths = (f"{folder}/{RENEWED}", f"{folder}/{CREDENTIALS}")
        self._trace: Trace | None = None
        self._found: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """The newest there are, as they are now.

        Raises:
            ValueError: there are none.
        """
        for path in self._paths:
            if self._look(path):
                break
        if not self._found:
            raise ValueError(f"there are no credentials in {self._paths[-1]}")
        return self._found

    def expired(self) -> str:
        """When they expired (UTC, ISO 8601); empty where they have not, or nobody knows."""
        try:
            until = str(self.read().get("expires", ""))
        except ValueError:
            return ""
        return until if until <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) else ""

    def _look(self, path: str) -> bool:
        """Read a file that may have changed; False where it is not there."""
        try:
            status = os.stat(path)
            trace = (path, status.st_ino, status.st_mtime_ns)
            if trace != self._trace:
                with open(path, "rb") as stream:
                    self._found = json.loads(stream.read())
                self._trace = trace
        except (OSError, ValueError):
            # In the middle of being replaced, or gone with the Job: what was read before may hold.
            return False
        return True
