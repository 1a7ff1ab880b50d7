"""What a pod prints, in another thread: for whoever does not want to wait for the store."""

from __future__ import annotations

import threading
from collections import deque

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.pod_log import PodLog, placed_pod
from packer.errors import SendoffError

_OWN = "sendoff: "
"""How lines begin that the runner says of itself."""


class LiveLog:
    """The lines of the first pod of a completion index that gets a node."""

    def __init__(self, client: Client, run: str, completion: int) -> None:
        self._client, self._run, self._completion = client, run, completion
        self._lines: deque[str] = deque()
        self._closed = threading.Event()
        self._log: PodLog | None = None
        threading.Thread(target=self._follow, name="log", daemon=True).start()

    def take(self) -> list[str]:
        """The lines since the last call, each with its end."""
        return [self._lines.popleft() for _ in range(len(self._lines))]

    def close(self) -> None:
        """Follow it no more."""
        self._closed.set()
        if self._log:
            self._log.close()

    def _follow(self) -> None:
        # The store has all of it in the end: what goes wrong here costs a second or two.
        try:
            pod = placed_pod(self._client, self._run, self._completion, self._closed)
            if pod is None:
                return
            self._log = PodLog(self._client, pod)
            for line in self._log.lines():
                if not line.startswith(_OWN):
                    self._lines.append(line)
        except SendoffError:
            return
