"""A run's Job and its pods, as far as we read them. See `objects`."""

from __future__ import annotations

from msgspec import field

from dispatcher.kubernetes import spans
from dispatcher.kubernetes.objects import Condition, Meta, Part, condition

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
RUN = "sendoff.io/run"
ACTIVE = "status.phase!=Succeeded,status.phase!=Failed"
"""The field selector of pods that have not ended."""


class JobSpec(Part, frozen=True):
    """spec of a Job."""

    suspend: bool | None = False
    completions: int | None = 1


class JobStatus(Part, frozen=True):
    """status of a Job."""

    active: int = 0
    ready: int | None = 0
    succeeded: int = 0
    failed: int = 0
    start_time: str | None = ""
    completed_indexes: str = ""
    failed_indexes: str | None = ""
    conditions: list[Condition] = []

    @property
    def ended(self) -> frozenset[int]:
        """The completion indexes that have succeeded or failed."""
        return spans.parse(self.completed_indexes) | spans.parse(self.failed_indexes)


class Job(Part, frozen=True):
    """A Job (batch/v1)."""

    metadata: Meta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def finished(self) -> bool:
        """Whether it has done with all of its indexes."""
        ends = ("Complete", "Failed")
        return any(condition(self.status.conditions, kind) for kind in ends)


class PodLabels(Part, frozen=True):
    """The labels that say which pod of which run it is."""

    index: str = field(default="", name=INDEX)
    run: str = field(default="", name=RUN)


class PodAnnotations(Part, frozen=True):
    """The annotations that say which attempt it is."""

    failures: str = field(default="", name=FAILURES)


class PodMeta(Part, frozen=True):
    """metadata of a run's pod."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    labels: PodLabels = PodLabels()
    annotations: PodAnnotations = PodAnnotations()


class Waiting(Part, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Part, frozen=True):
    """Since when a container runs."""

    started_at: str | None = ""


class Terminated(Part, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = ""
    finished_at: str | None = ""


class ContainerState(Part, frozen=True):
    """One of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part, frozen=True):
    """One of status.containerStatuses."""

    name: str = ""
    state: ContainerState = ContainerState()


class PodSpec(Part, frozen=True):
    """spec of a run's pod."""

    node_name: str = ""


class PodStatus(Part, frozen=True):
    """status of a run's pod."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    start_time: str | None = ""
    conditions: list[Condition] = []
    init_container_statuses: list[ContainerStatus] = []
    container_statuses: list[ContainerStatus] = []


class Pod(Part, frozen=True):
    """A pod of a run."""

    metadata: PodMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def index(self) -> int:
        """The completion index; -1 where it has none."""
        return int(self.metadata.labels.index or -1)

    @property
    def failures(self) -> int:
        """How often its index has failed before, disruptions aside."""
        return int(self.metadata.annotations.failures or 0)

    @property
    def ended(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def terminated(self) -> Terminated | None:
        """How its container ended, where it did."""
        for status in self.status.container_statuses:
            if status.state.terminated:
                return status.state.terminated
        return None
