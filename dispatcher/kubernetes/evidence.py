"""What a cluster knows of a run beside its Job and active pods: asked for when something is odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.diagnosis import Situation
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.kueue import Kueue
from dispatcher.kubernetes.listing import Listed, everything
from dispatcher.kubernetes.objects import Event, Node
from dispatcher.kubernetes.paths import NODES
from dispatcher.kubernetes.run_objects import INDEX, RUN, Job, Pod
from dispatcher.runner import exit_status
from packer.record import decodable

_INDEXES_A_CALL = 100
"""A selector goes into the URL, which has its limits."""


class Evidence:
    """Asks. What the user may not see is left out, or `Unseen`: it would have explained more."""

    def __init__(self, client: Client, run: str) -> None:
        self._client, self._run = client, run
        self._kueue = Kueue(client)
        self.events: dict[str, Event] = {}
        """All that were seen, by their uid."""

    def now(self) -> float:
        """The time by the cluster's clock, in seconds since the epoch."""
        return self._client.now()

    def situation(self, job: Job, pod: Pod | None) -> Situation:
        """All that there is to know of a pod, or of a Job without pods."""
        events = [*self._events(job.metadata.uid), *(self._events(pod.metadata.uid) if pod else ())]
        return Situation(
            job=job,
            pod=pod,
            events=tuple(sorted(events, key=lambda event: event.when)),
            node=self._node(pod.spec.node_name) if pod and pod.spec.node_name else None,
            workload=self._kueue.workload(job) if job.spec.suspend else None,
            now=self._client.now(),
        )

    def pods(self, completions: Iterable[int]) -> dict[int, Pod]:
        """The latest pod of each of these completion indexes that tried, ended ones too."""
        latest: dict[int, Pod] = {}
        for some in _parts(sorted(completions)):
            selector = f"{RUN}={self._run},{INDEX} in ({','.join(map(str, some))})"
            listed = everything(
                self._client, self._client.paths.pods, Pod, {"labelSelector": selector}
            )
            for pod in listed.items:
                known = latest.get(pod.index)
                if known is None or _age(known) <= _age(pod):
                    latest[pod.index] = pod
        return latest

    def some_pending(self, count: int) -> list[Pod]:
        """A few of the pods that have not started."""
        query = {
            "labelSelector": f"{RUN}={self._run}",
            "fieldSelector": "status.phase=Pending",
            "limit": str(count),
        }
        page = self._client.get(self._client.paths.pods, query)
        return msgspec.json.decode(page, type=decodable(Listed[Pod])).items

    def _events(self, uid: str) -> list[Event]:
        query = {"fieldSelector": f"involvedObject.uid={uid}"}
        try:
            found = everything(self._client, self._client.paths.events, Event, query).items
        except ApiForbidden:
            return []
        self.events |= {event.metadata.uid: event for event in found}
        return found

    def _node(self, name: str) -> Node | None:
        try:
            found = everything(
                self._client, NODES, Node, {"fieldSelector": f"metadata.name={name}"}
            )
        except ApiForbidden:
            return None
        return found.items[0] if found.items else None


def _age(pod: Pod) -> tuple[bool, int, str]:
    """What orders pods, those last that began a command, or may yet."""
    ended = pod.terminated
    tried = ended is None or ended.exit_code not in (exit_status.SPENT, exit_status.NOT_BEGUN)
    return tried, pod.failures, pod.metadata.creation_timestamp


def _parts(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _INDEXES_A_CALL):
        yield numbers[start : start + _INDEXES_A_CALL]
