"""Where things are in the API: the one place that names its paths."""

from __future__ import annotations

NODES = "/api/v1/nodes"
ALL_PODS = "/api/v1/pods"
VERSION = "/version"
KUEUE = "/apis/kueue.x-k8s.io"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def group(name: str, version: str) -> str:
    """A version of a group: what it has, and below it the objects."""
    return f"/apis/{name}/{version}"


class Paths:
    """The paths of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = core = f"/api/v1/namespaces/{namespace}"
        self.pods = f"{core}/pods"
        self.secrets = f"{core}/secrets"
        self.events = f"{core}/events"
        self.daemon_sets = f"/apis/apps/v1/namespaces/{namespace}/daemonsets"
        self.jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._namespace = namespace

    def job(self, name: str) -> str:
        """One Job."""
        return f"{self.jobs}/{name}"

    def secret(self, name: str) -> str:
        """One Secret."""
        return f"{self.secrets}/{name}"

    def pod(self, name: str) -> str:
        """One pod."""
        return f"{self.pods}/{name}"

    def workloads(self, version: str) -> str:
        """Kueue's Workloads, in a version of its API."""
        return f"{KUEUE}/{version}/namespaces/{self._namespace}/workloads"

    def queue(self, version: str, name: str) -> str:
        """One of Kueue's LocalQueues, in a version of its API."""
        return f"{KUEUE}/{version}/namespaces/{self._namespace}/localqueues/{name}"
