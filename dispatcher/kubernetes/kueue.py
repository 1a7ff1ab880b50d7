"""What Kueue has of a namespace, in whichever version of its API the cluster serves."""

from __future__ import annotations

import msgspec

from dispatcher.kubernetes.answers import Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.objects import Unseen, Workload
from dispatcher.kubernetes.paths import KUEUE
from dispatcher.kubernetes.run_objects import Job
from packer.record import decodable


class _Version(msgspec.Struct, frozen=True):
    version: str


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    """A group of the API (meta/v1, APIGroup)."""

    preferred_version: _Version


class Kueue:
    """Asks. What is read of its objects is the same in all versions: names, owners, conditions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def version(self) -> str:
        """The version that the cluster serves, the latest of several; empty where it has none.

        Not remembered: Kueue may be updated, or installed, while somebody looks.

        Raises:
            What `Client` raises.
        """
        try:
            found = self._client.get(KUEUE)
        except Refusal:
            return ""
        return msgspec.json.decode(found, type=decodable(_Group)).preferred_version.version

    def workload(self, job: Job) -> Workload | Unseen | None:
        """That of a Job; None where Kueue has none, or is not there.

        Raises:
            What `Client` raises, but for ApiForbidden and Refusal.
        """
        try:
            version = self.version()
            if not version:
                return None
            found = everything(self._client, self._client.paths.workloads(version), Workload)
        except ApiForbidden as error:
            return Unseen(why=error.what())
        except Refusal as refusal:
            return Unseen(why=f"Kueue's workloads can't be listed: {refusal.said.message}")
        for workload in found.items:
            if any(owner.uid == job.metadata.uid for owner in workload.metadata.owner_references):
                return workload
        return None

    def has_queue(self, name: str) -> bool:
        """Whether there is a LocalQueue of that name.

        Raises:
            What `Client` raises.
        """
        version = self.version()
        try:
            return bool(version and self._client.get(self._client.paths.queue(version, name)))
        except Refusal:
            return False
