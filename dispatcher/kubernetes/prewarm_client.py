"""The objects of pre-warming in one namespace: listed, made and removed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from dispatcher.kubernetes.answers import CONFLICT, NOT_FOUND, Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.paths import group
from dispatcher.kubernetes.prewarm import PREWARM
from dispatcher.kubernetes.prewarm_jobs import GROUP, VERSIONS
from dispatcher.kubernetes.prewarm_objects import Warmer, WarmingPod
from packer.record import decodable

T = TypeVar("T")

_PULL_JOBS = "imagepulljobs"


class _Resource(msgspec.Struct, frozen=True):
    name: str


class _Resources(msgspec.Struct, frozen=True):
    """What a group has (meta/v1, APIResourceList)."""

    resources: list[_Resource] = []


class PrewarmClient:
    """DaemonSets, their pods, and OpenKruise's jobs; of one class, or of all where none is named.

    Every method raises what `Client` raises.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @cached_property
    def kruise(self) -> str:
        """The version of OpenKruise's ImagePullJob that the cluster has; empty for none."""
        for version in VERSIONS:
            try:
                found = self._client.get(group(GROUP, version))
            except (Refusal, ApiForbidden):
                continue
            resources = msgspec.json.decode(found, type=decodable(_Resources)).resources
            if any(each.name == _PULL_JOBS for each in resources):
                return version
        return ""

    def daemon_sets(self, name: str = "") -> list[Warmer]:
        """The DaemonSets."""
        return self._ours(self._client.paths.daemon_sets, Warmer, name)

    def pull_jobs(self, name: str = "") -> list[Warmer]:
        """OpenKruise's jobs, those that are being deleted too."""
        return self._ours(self._jobs, Warmer, name) if self.kruise else []

    def pods(self) -> list[WarmingPod]:
        """The pods of all DaemonSets."""
        return self._ours(self._client.paths.pods, WarmingPod)

    def apply(self, manifest: dict[str, Any]) -> None:
        """Have a DaemonSet or a job as the manifest says."""
        of_set = manifest["kind"] == "DaemonSet"
        path = self._client.paths.daemon_sets if of_set else self._jobs
        self._client.apply(f"{path}/{manifest['metadata']['name']}", manifest)

    def remove(self, warmers: Iterable[Warmer]) -> None:
        """Delete these and no others of their names."""
        for each in warmers:
            path = self._client.paths.daemon_sets if each.revision else self._jobs
            options = {
                "propagationPolicy": "Background",
                "preconditions": {"uid": each.metadata.uid},
            }
            try:
                self._client.delete(f"{path}/{each.metadata.name}", options)
            except Refusal as refusal:
                if refusal.status not in (NOT_FOUND, CONFLICT):
                    raise

    @property
    def _jobs(self) -> str:
        return f"{group(GROUP, self.kruise)}/namespaces/{self._client.namespace}/{_PULL_JOBS}"

    def _ours(self, path: str, kind: type[T], name: str = "") -> list[T]:
        selector = f"{PREWARM}={name}" if name else PREWARM
        return everything(self._client, path, kind, {"labelSelector": selector}).items
