"""Follows what a pod prints, until the store has it: best effort, cut and resumed as it comes.

The kubelet gives both streams as one, and starts again from a whole second, so what was seen in
that second is dropped. Lines of the runner's own (`sendoff: …`) are among them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec

from dispatcher.kubernetes.answers import NOT_FOUND, Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ApiRejected, ClusterFailing, ClusterUnreachable
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.pod import CONTAINER
from dispatcher.kubernetes.run_objects import Pod
from dispatcher.kubernetes.stream import Stream, StreamCut

_SILENCE = 120.0
"""Seconds after which a follow that brings nothing is begun anew."""
_PAUSE = 0.05
_BAD_REQUEST = 400


class PodLog:
    """The log of one pod."""

    def __init__(self, client: Client, pod: str, silence: float = _SILENCE) -> None:
        self._client, self._pod, self._silence = client, pod, silence
        self._paths = Paths(client.namespace)
        self._closed = threading.Event()
        self._stream: Stream | None = None
        self._last = ""
        """The timestamp of the last line that was given out."""
        self._given = 0
        """How many lines with that timestamp were."""

    def lines(self) -> Iterator[str]:
        """Each line, its end included, until the container has ended or the pod is gone.

        Raises:
            SendoffError: such as ApiForbidden.
        """
        while not self._closed.is_set():
            try:
                yield from self._follow()
                if self._ended():
                    # What came between the end of one answer and that of the container.
                    yield from self._follow()
                    return
            except Refusal as refusal:
                if refusal.status == NOT_FOUND:
                    return
                raise
            except ApiRejected as rejected:
                # The container does not run yet; there is nothing to follow.
                if rejected.status != _BAD_REQUEST:
                    raise
            except (StreamCut, ClusterUnreachable, ClusterFailing):
                pass
            self._closed.wait(_PAUSE)

    def close(self) -> None:
        """End it, from any thread."""
        self._closed.set()
        if self._stream:
            self._stream.close()

    def _follow(self) -> Iterator[str]:
        query = {"container": CONTAINER, "follow": "true", "timestamps": "true"}
        if self._last:
            query["sinceTime"] = _whole_second(self._last)
        repeats = self._given
        with self._client.stream(self._paths.log(self._pod), query, self._silence) as stream:
            self._stream = stream
            if self._closed.is_set():
                return
            for line in stream:
                when, _, text = line.decode(errors="surrogateescape").partition(" ")
                if when < self._last:
                    continue
                if when == self._last and repeats:
                    repeats -= 1
                    continue
                self._given = self._given + 1 if when == self._last else 1
                self._last = when
                yield text + "\n"

    def _ended(self) -> bool:
        try:
            pod = msgspec.json.decode(self._client.get(self._paths.pod(self._pod)), type=Pod)
        except Refusal:
            return True
        return pod.ended or pod.terminated is not None


def _whole_second(timestamp: str) -> str:
    """Without its fraction, which the API's time has not (meta/v1, Time)."""
    second, _, rest = timestamp.partition(".")
    return second + (rest.lstrip("0123456789") or "Z")


def wait_for_pod(client: Client, run: str, completion: int, deadline: float) -> str | None:
    """The name of the latest pod of an index once its container runs or has run.

    None after `deadline`, a moment of the monotonic clock.
    """
    from dispatcher.kubernetes.evidence import Evidence

    evidence = Evidence(client, Paths(client.namespace), run)
    while time.monotonic() < deadline:
        pod = evidence.pods([completion]).get(completion)
        if pod and (pod.ended or pod.status.phase == "Running"):
            return pod.metadata.name
        time.sleep(_PAUSE)
    return None
