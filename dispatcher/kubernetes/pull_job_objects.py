"""What pre-warming reads of OpenKruise's ImagePullJobs. See `objects`."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.kubernetes.objects import Meta, Part

_STATUS = "status"


class Expression(Part, frozen=True):
    """What one label must be (meta/v1, LabelSelectorRequirement)."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = []

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether it is so; an operator that no job of ours has is taken to hold."""
        if self.operator == "In":
            return labels.get(self.key) in (self.values or ())
        return self.operator != "DoesNotExist" or self.key not in labels


class Selector(Part, frozen=True):
    """The nodes that a job pulls on: by their names or, where it has none, by their labels."""

    names: list[str] | None = None
    match_labels: dict[str, str] = {}
    match_expressions: list[Expression] = []

    def takes(self, name: str, labels: Mapping[str, str] | None) -> bool:
        """Whether a node is one of them; `labels` is None where they may not be seen."""
        if self.names is not None:
            return name in self.names
        if labels is None:
            return True
        named = self.match_labels.items() <= labels.items()
        return named and all(each.holds(labels) for each in self.match_expressions)


class PullSpec(Part, frozen=True):
    """spec of an ImagePullJob."""

    image: str = ""
    selector: Selector = Selector()


class PullStatus(Part, frozen=True):
    """status of an ImagePullJob."""

    active: int = 0
    desired: int = 0
    succeeded: int = 0
    failed: int = 0
    failed_nodes: list[str] | None = []
    message: str = ""
    start_time: str | None = ""
    completion_time: str | None = ""

    @property
    def ended(self) -> bool:
        """Whether every node has it, or was given up."""
        return bool(self.desired) and self.succeeded + self.failed >= self.desired


class ManagedFields(Part, frozen=True):
    """Who wrote some of an object's fields, and when last (meta/v1, ManagedFieldsEntry)."""

    subresource: str = ""
    time: str | None = ""


class WarmerMeta(Meta, frozen=True):
    """metadata, with who wrote what."""

    managed_fields: list[ManagedFields] = []

    @property
    def told(self) -> str:
        """When its status was last another: RFC 3339; empty where nobody says."""
        times = (each.time or "" for each in self.managed_fields if each.subresource == _STATUS)
        return max(times, default="")
