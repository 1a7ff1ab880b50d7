"""Keeps an eye on the pods of a run that have not ended."""

from __future__ import annotations

import threading
from functools import partial
from typing import Protocol

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.glimpse import Glimpse, of_pod
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.run_objects import ACTIVE, RUN, Job, Pod
from dispatcher.kubernetes.watch import Change, Timing, Watch


class Eye(Protocol):
    """Sees the pods of one run that have not ended."""

    def look(self, job: Job | None = None) -> dict[int, Glimpse]:
        """They by completion index, each time anew; of an index the latest.

        `job`: theirs, as it is now, which may tell as much.
        """

    def close(self) -> None:
        """Look no more."""


class PodEye:
    """Lists them when first asked, and watches them from the second time on."""

    def __init__(self, client: Client, run: str, timing: Timing | None = None) -> None:
        self._client, self._timing = client, timing
        self._query = {"labelSelector": f"{RUN}={run}", "fieldSelector": ACTIVE}
        self._watch: Watch[Pod] | None = None
        self._lock = threading.Lock()
        self._active: dict[str, Glimpse] = {}
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    def look(self, job: Job | None = None) -> dict[int, Glimpse]:  # noqa: ARG002 (the protocol's)
        """See `Eye`.

        Raises:
            SendoffError: what the watch ended with.
        """
        if self._watch is None:
            path = self._client.paths.pods
            listed = everything(self._client, path, Pod, self._query)
            self._take(Change("listed", listed.items))
            self._watch = Watch(self._client, path, Pod, self._query, self._timing)
            self._watch.go_on_from(listed.version)
        elif self._thread is None:
            follow = partial(self._follow, self._watch)
            self._thread = threading.Thread(target=follow, name="pods", daemon=True)
            self._thread.start()
        with self._lock:
            if self._error:
                raise self._error
            latest: dict[int, Glimpse] = {}
            for glimpse in self._active.values():
                known = latest.get(glimpse.completion)
                if known is None or known.failures <= glimpse.failures:
                    latest[glimpse.completion] = glimpse
            return latest

    def close(self) -> None:
        """See `Eye`."""
        if self._watch:
            self._watch.close()

    def _follow(self, watch: Watch[Pod]) -> None:
        try:
            for change in watch.changes():
                self._take(change)
        except Exception as error:  # noqa: BLE001 (raised where somebody looks)
            with self._lock:
                self._error = error

    def _take(self, change: Change[Pod]) -> None:
        with self._lock:
            if change.kind == "listed":
                self._active.clear()
            for pod in change.objects:
                if change.kind == "deleted" or pod.ended:
                    self._active.pop(pod.metadata.name, None)
                else:
                    self._active[pod.metadata.name] = of_pod(pod)
