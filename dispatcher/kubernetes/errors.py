"""What a cluster can answer instead of what was asked. See `packer.errors` for the form."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.kubernetes import rights
from packer.errors import SendoffError

_LINE = 200
"""Characters that are shown of an answer's first line."""


class ClusterNotConfigured(SendoffError):
    """Nothing says which cluster to talk to, or what says it cannot be read."""

    code, phase = "CLUSTER_NOT_CONFIGURED", "configuration"

    def __init__(self, reason: str, seen: str = "", remedy: str = "") -> None:
        super().__init__(reason, seen, remedy)
        self.reason, self.seen, self.remedy = reason, seen, remedy

    def what(self) -> str:
        return "there is no cluster to talk to"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.seen

    def fix(self) -> str:
        return self.remedy or "export KUBECONFIG=…, or see kubectl config get-contexts"


class NotKubernetes(SendoffError):
    """Something answers at the server's address, and it is no API server."""

    code, phase = "NOT_KUBERNETES", "configuration"

    def __init__(self, host: str, path: str, status: int, said: str) -> None:
        """`said` is what was answered, whose first line is told."""
        super().__init__(host, path, status, said)
        self.host, self.path, self.status, self.said = host, path, status, said

    def what(self) -> str:
        return f"what answers at {self.host} is no Kubernetes API"

    def why(self) -> str:
        return (
            f"another server, a login page or a proxy: {self.path} is answered with {self.status}"
        )

    def evidence(self) -> str:
        return (self.said.strip().splitlines() or ["an empty answer"])[0][:_LINE]

    def fix(self) -> str:
        return "see which server the context names, or log in again: kubectl config view --minify"


class ClusterUnreachable(SendoffError):
    """The API server did not answer in time."""

    code, phase, retryable = "CLUSTER_UNREACHABLE", "dispatch", True

    def __init__(self, host: str, reason: str, waited: float) -> None:
        super().__init__(host, reason, waited)
        self.host, self.reason, self.waited = host, reason, waited

    def what(self) -> str:
        return f"the cluster at {self.host} did not answer"

    def why(self) -> str:
        return f"tried for {self.waited:.0f} s" if self.waited >= 1 else ""

    def evidence(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "sendoff doctor"


class ClusterFailing(SendoffError):
    """The API server kept answering that it can't, or not now (429, 5xx)."""

    code, phase, retryable = "CLUSTER_FAILING", "dispatch", True

    def __init__(self, host: str, status: int, said: str, waited: float) -> None:
        super().__init__(host, status, said, waited)
        self.host, self.status, self.said, self.waited = host, status, said, waited

    def what(self) -> str:
        return f"the cluster at {self.host} answers {self.status}"

    def why(self) -> str:
        return f"tried for {self.waited:.0f} s" if self.waited >= 1 else ""

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "try again later; sendoff doctor shows what works"


class ApiUnauthorized(SendoffError):
    """The cluster does not take the credentials, fresh ones neither."""

    code, phase = "CLUSTER_AUTH", "dispatch"

    def __init__(self, host: str, source: str, said: str) -> None:
        super().__init__(host, source, said)
        self.host, self.source, self.said = host, source, said

    def what(self) -> str:
        return f"the cluster at {self.host} does not accept the credentials"

    def why(self) -> str:
        return f"those of {self.source}; read again, they were refused again"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "log in to the cluster again, then: kubectl auth whoami"


class ApiForbidden(SendoffError):
    """The user may not do that."""

    code, phase = "FORBIDDEN", "dispatch"

    def __init__(self, verb: str, resource: str, namespace: str, said: str) -> None:
        super().__init__(verb, resource, namespace, said)
        self.verb, self.resource, self.namespace = verb, resource, namespace
        self.said = said

    @property
    def where(self) -> str:
        """In words: "in the namespace research"."""
        return f"in the namespace {self.namespace}" if self.namespace else "in the cluster"

    def what(self) -> str:
        return f"not allowed to {self.verb} {self.resource} {self.where}"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return rights.remedy(self.resource, self.namespace, everywhere=not self.namespace)


class QuotaExceeded(SendoffError):
    """The namespace's quota leaves no room for it."""

    code, phase, retryable = "QUOTA", "admission", True

    def __init__(self, namespace: str, said: str) -> None:
        super().__init__(namespace, said)
        self.namespace, self.said = namespace, said

    def what(self) -> str:
        return f"the quota of the namespace {self.namespace} is used up"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return f"kubectl -n {self.namespace} describe quota; cancel what is not needed: sendoff ps"


class ApiRejected(SendoffError):
    """The cluster does not take what was sent: invalid, or an admission webhook objects."""

    code, phase = "REJECTED", "admission"

    def __init__(self, status: int, said: str) -> None:
        super().__init__(status, said)
        self.status, self.said = status, said

    def what(self) -> str:
        return f"the cluster refused the request ({self.status})"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "see what its administrators demand of Jobs; sendoff doctor"


class NamespaceMissing(SendoffError):
    """The namespace does not exist."""

    code, phase = "NAMESPACE_MISSING", "admission"

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.namespace = namespace

    def what(self) -> str:
        return f"the cluster has no namespace {self.namespace!r}"

    def fix(self) -> str:
        return f"{rights.remedy(namespace=self.namespace)}; or name another one: --namespace"


class AssignmentTooLarge(SendoffError):
    """The commands of a run do not fit into the Secret that tells the runner of them."""

    code, phase = "ASSIGNMENT_TOO_LARGE", "admission"

    def __init__(self, size: int, limit: int, inputs: int) -> None:
        super().__init__(size, limit, inputs)
        self.size, self.limit, self.inputs = size, limit, inputs

    def what(self) -> str:
        return f"the commands of {self.inputs} inputs are too much for one run"

    def why(self) -> str:
        return f"compressed {self.size / 1e6:.1f} MB, and a Secret holds {self.limit / 1e6:.1f}"

    def fix(self) -> str:
        return "send them off as several runs, or pass data as --input"


class JobTaken(SendoffError):
    """There is a Job of that name which no run of this request made."""

    code, phase = "CONFLICT", "admission"

    def __init__(self, name: str, namespace: str, differences: Sequence[str]) -> None:
        super().__init__(name, namespace, differences)
        self.name, self.namespace, self.differences = name, namespace, tuple(differences)

    def what(self) -> str:
        return f"the namespace {self.namespace} has another Job {self.name}"

    def why(self) -> str:
        return "it was not made from this request; nothing was changed"

    def evidence(self) -> str:
        return "different: " + ", ".join(self.differences)

    def fix(self) -> str:
        return "send it off under another name: --name"


class JobStuck(SendoffError):
    """A Job of that name is being deleted, and does not go."""

    code, phase, retryable = "CONFLICT", "admission", True

    def __init__(self, name: str, namespace: str, waited: float) -> None:
        super().__init__(name, namespace, waited)
        self.name, self.namespace, self.waited = name, namespace, waited

    def what(self) -> str:
        return f"an earlier Job {self.name} is still being deleted"

    def why(self) -> str:
        return f"waited for {self.waited:.0f} s; one of its pods does not end"

    def fix(self) -> str:
        return f"kubectl -n {self.namespace} get pods -l sendoff.io/run={self.name}"


class StoreNotInReach(SendoffError):
    """The store is a directory of this machine, where no pod can put a result."""

    code, phase = "STORE_NOT_IN_REACH", "admission"

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.store = store

    def what(self) -> str:
        return "pods can't reach the store"

    def why(self) -> str:
        return "it is a directory of this machine; the kubernetes target needs a bucket"

    def evidence(self) -> str:
        return self.store

    def fix(self) -> str:
        return "export SENDOFF_STORE=http://minio.example:9000/bucket; sendoff init"
