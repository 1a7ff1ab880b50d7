"""Why a node does not get an image ahead of time. Pure."""

from __future__ import annotations

from dispatcher.kubernetes.prewarm import IMAGES
from dispatcher.kubernetes.run_objects import Terminated, Waiting
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble, trouble

NOT_STARTED = frozenset({"RunContainerError", "CrashLoopBackOff"})
"""Reasons of a container whose image is there, and whose program does not start."""
NOT_MADE = frozenset({"CreateContainerError", "CreateContainerConfigError"})
"""Reasons of a container that the node can't make of an image that is there."""


def broken(ended: Terminated | None, waiting: Waiting, since: float) -> Trouble:
    """A container ended with an error, or never began."""
    said = [_said(waiting)]
    if ended:
        said += [f"{ended.reason or 'Error'}, exit code {ended.exit_code}", ended.message]
    return trouble(
        "IMAGE_UNUSABLE",
        "the image is there, but its Python does not start",
        blame="config",
        evidence=said,
        fix="build the base again, and verify it: sendoff base verify",
        since=since,
    )


def not_made(waiting: Waiting, since: float, settings: ClusterSettings) -> Trouble:
    """The node has the image, and no container of it."""
    return trouble(
        "STARTING",
        "the image is there, but the node can't make a container of it",
        blame="infra",
        evidence=[_said(waiting)],
        fix="kubectl describe pods -l sendoff.io/prewarm shows what the node says",
        since=since,
        grace=settings.pending_timeout,
    )


def no_place(said: str, since: float, settings: ClusterSettings) -> Trouble:
    """The pod that has images pulled can't go on the node."""
    return trouble(
        "UNSCHEDULABLE",
        "the node has no room for the pod that has images pulled",
        blame="capacity",
        evidence=[said],
        fix="kubectl describe node shows what is on it; a pod of 1m of a core and 48Mi has to fit",
        since=since,
        grace=settings.pending_timeout,
    )


def not_pulled(said: str, since: float) -> Trouble:
    """OpenKruise has given up."""
    return trouble(
        "IMAGE_PULL",
        "OpenKruise could not pull the image",
        blame="infra",
        evidence=[said or "OpenKruise says no more"],
        fix="kubectl get nodeimages shows its tries; the nodes must reach the registry",
        since=since,
    )


def unknown(prewarm: str) -> Trouble:
    """An object of a class does not tell which images it has pulled."""
    return trouble(
        "RECORD_UNREADABLE",
        f"which images {prewarm} is to have cannot be read",
        blame="config",
        evidence=[f"the annotation {IMAGES} was altered"],
        fix=f"name them anew: sendoff base prewarm --gpu {prewarm}",
    )


def _said(waiting: Waiting) -> str:
    return ": ".join(filter(None, (waiting.reason, waiting.message)))
