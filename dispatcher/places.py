"""Where things are on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packer.digest import Digest
from packer.record import Record

if TYPE_CHECKING:
    from dispatcher.budget import Budget
    from dispatcher.kubernetes.settings import ClusterSettings


class Places(Record, frozen=True):
    """Absolute directories, each made when it is first needed; the store may be elsewhere."""

    layout: Path
    """The OCI image layout that images are in."""
    store: str
    """Runs and their results: a directory, or a bucket, `http(s)://host[:port]/bucket[/prefix]`."""
    cache: Path
    """What can be made again: unpacked layers, environments."""
    state: Path
    """Of this machine's own runs: supervisors' locks and logs, working directories."""
    store_in_cluster: str = ""
    """The bucket's address as containers reach it; empty: the same."""
    region: str = ""
    """The bucket's region; empty: `$AWS_REGION`, or MinIO's default."""
    insecure: bool = False
    """Whether a bucket beyond private networks may be reached by plain http."""
    role: str = ""
    """ARN of the role that runs' own credentials are issued for, which AWS asks for."""
    store_patience: float = 300.0
    """Seconds for which a runner waits for a store, each time that it is away."""
    cluster: ClusterSettings | None = None
    """How to use the cluster of the kubernetes target; None for a plain one."""

    budget: Budget | None = None
    """What each group of runs may use; None for no limit."""

    def of_store(self, kind: str) -> Path:
        """What is kept here, by kind, of the runs of the store in use; a name without ending."""
        return self.state / kind / Digest.of(self.store.encode()).hex[:16]

    def supervisor(self, run: str) -> Path:
        """The folder of a run's supervisor."""
        return self.state / "runs" / run

    def plan(self, run: str) -> Path:
        """What the supervisor is to do, written where its images were ready at the start."""
        return self.supervisor(run) / "plan.json"

    def packing(self, run: str) -> Path:
        """The folder of the process that packs for an order."""
        return self.state / "packing" / run

    def work(self, run: str) -> Path:
        """The folder of the working directories of a run's attempts."""
        return self.state / "work" / run
