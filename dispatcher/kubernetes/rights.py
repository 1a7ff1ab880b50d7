"""The least that a user needs to be allowed. Data: docs, manifests, checks and tests share it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from packer.record import Record


class Right(Record, frozen=True):
    """One verb on one resource."""

    verb: str
    resource: str
    """With its subresource, where it is one: "pods/log"."""
    group: str = ""
    everywhere: bool = False
    """Whether it is of the cluster, not of a namespace."""
    optional: bool = False
    """Whether runs work without it."""
    why: str = ""

    @property
    def name(self) -> str:
        """As kubectl writes it, "create jobs.batch", and whether it is of the whole cluster."""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + " of the cluster" * self.everywhere


_KUEUE = "kueue.x-k8s.io"

RIGHTS = (
    Right(verb="create", resource="jobs", group="batch", why="to start runs"),
    Right(verb="get", resource="jobs", group="batch", why="to see what becomes of a run"),
    Right(verb="delete", resource="jobs", group="batch", why="to cancel a run"),
    Right(verb="list", resource="pods", why="to see what runs, and why the rest waits"),
    Right(verb="watch", resource="pods", why="to see ends as they come"),
    Right(verb="create", resource="secrets", why="to hand a run its own credentials"),
    Right(
        verb="update",
        resource="secrets",
        optional=True,
        why="to renew them more than once, for runs of many days",
    ),
    Right(verb="list", resource="events", why="to see quotas and refusals, which are only there"),
    Right(verb="get", resource="namespaces", optional=True, why="to see its Pod Security level"),
    Right(
        verb="list", resource="nodes", everywhere=True, optional=True, why="to check GPU classes"
    ),
    Right(verb="delete", resource="pods", optional=True, why="to cancel one index of many"),
    Right(
        verb="list",
        resource="workloads",
        group=_KUEUE,
        optional=True,
        why="to see why Kueue lets a run wait",
    ),
    Right(
        verb="get",
        resource="localqueues",
        group=_KUEUE,
        optional=True,
        why="to check the name of the queue",
    ),
    Right(
        verb="list",
        resource="pods",
        everywhere=True,
        optional=True,
        why="to see how many GPUs are free",
    ),
)

_KRUISE = "apps.kruise.io"

OPERATOR_RIGHTS = (
    Right(verb="create", resource="daemonsets", group="apps", why="to pre-warm nodes"),
    Right(verb="patch", resource="daemonsets", group="apps", why="to change what they have"),
    Right(verb="list", resource="daemonsets", group="apps", why="to see what is pre-warmed"),
    Right(verb="delete", resource="daemonsets", group="apps", why="to pre-warm no more"),
    Right(verb="list", resource="pods", why="to see how far each node is"),
    Right(verb="list", resource="nodes", everywhere=True, why="to see which nodes have what"),
    *(
        Right(
            verb=verb,
            resource="imagepulljobs",
            group=_KRUISE,
            optional=True,
            why="the same, where OpenKruise pulls images",
        )
        for verb in ("create", "patch", "list", "delete")
    ),
)
"""For `sendoff base prewarm` and `status`; who has them need not have the others."""

_OPERATORS_ALONE = {right.resource for right in OPERATOR_RIGHTS} - {
    right.resource for right in RIGHTS
}


def remedy(resource: str = "", namespace: str = "", *, everywhere: bool = False) -> str:
    """What an administrator does, so that a user may use `resource`; none for all that runs need.

    To whom a Role is bound is the administrator's to know: what is applied to a namespace that
    has one replaces whom it was bound to.
    """
    flag = ""
    if resource.partition("/")[0] in _OPERATORS_ALONE:
        flag = " --operators"
    elif everywhere and resource == "pods":
        flag = " --usage"
    named = f"--namespace {namespace or 'NAME'} --for KIND:NAME{flag}"
    apply = "kubectl apply --server-side -f -"
    return f"an administrator runs: sendoff init --manifests {named} | {apply}"


def rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """The rules of a Role that grants these (rbac/v1, PolicyRule), one for each resource."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), []).append(right.verb)
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": some}
        for (group, resource), some in verbs.items()
    ]


def of_namespace(rights: Iterable[Right] = RIGHTS) -> list[Right]:
    """Those that a Role in the namespace grants."""
    return [right for right in rights if not right.everywhere]


def of_cluster(*, usage: bool = False) -> list[Right]:
    """Those that take a ClusterRole; with `usage` the right to see everybody's pods."""
    return [right for right in RIGHTS if right.everywhere and (usage or right.resource == "nodes")]
