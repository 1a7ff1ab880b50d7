"""How a site uses its cluster: everything that is neither in a request nor found out."""

from __future__ import annotations

from typing import Any

from dispatcher.kubernetes.gpu_classes import Toleration
from packer.record import Record

_DAY = 86_400


class ClusterSettings(Record, frozen=True):
    """Sizes in bytes, times in seconds. With nothing set, a plain cluster works."""

    kubeconfig: str = ""
    """Its path; empty for `$KUBECONFIG`, `~/.kube/config`, or the pod's own service account."""
    context: str = ""
    """Empty for the current one."""
    namespace: str = ""
    """Empty for that of the context."""
    repository: str = ""
    """Where nodes pull images from, if under another name than the one they are pushed to."""
    queue: str = ""
    """A Kueue LocalQueue; Jobs are then created suspended, and left to it."""
    priority_class: str = ""
    runtime_class: str = ""
    """Of pods with a GPU."""
    image_pull_secrets: tuple[str, ...] = ()
    secrets_from: str = "sendoff"
    """The Secret whose keys are the names that `--secret` takes."""
    secrets: dict[str, str] = {}
    """Names whose values are elsewhere: name → "secret/key"."""
    gpu_classes: dict[str, Any] = {}
    """The site's own classes; see `gpu_tables`."""
    scalable: tuple[str, ...] = ()
    """GPU classes for which an autoscaler makes nodes, so that there may be none now."""
    spot: bool = False
    """Whether pods may go on nodes that can be taken away."""
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    labels: dict[str, str] = {}
    """Further labels of Jobs and pods, such as a cost centre."""
    cpus: float = 1
    """Of a pod for which nothing was asked, and whose node's share is not known."""
    memory: int = 2 << 30
    scratch: int = 50 << 30
    """The most that a pod may write: working directories, outputs, inputs, caches."""
    user: int = 65_532
    """The numeric user and group that commands run as."""
    image_timeout: float = 30
    """How long a wrong image may stay wrong before the run is given up."""
    pending_timeout: float = 900
    """How long a pod may wait for anything but its turn."""
    queue_timeout: float = 0
    """How long a pod may wait for its turn; 0 for as long as it takes, up to `longest`."""
    longest: float = 14 * _DAY
    """After this a Job is ended, whatever it waits for or does."""
    flush: float = 60
    """What a pod has after its command's end to store logs and results when it must go."""
    parallel: int = 1_000
    """Pods of one run at once, where the run does not say."""
    spare: int = 1
    """Further pods for an index whose pod failed around the command; see `docs/kubernetes.md`."""
    ttl: int = _DAY
    """How long an ended Job and its pods stay; results are in the store."""
