"""What hardware there is to choose from: of a cluster, or of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from packer.record import Record
from sendoff.quantities import show_size
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.offers import Offer, Unnamed

HEADER = (
    "class",
    "memory",
    "gpus",
    "free",
    "per node",
    "free per node",
    "driver",
    "queue",
    "kept off by",
)


class Hardware(Record, frozen=True):
    """What a target has."""

    target: str
    offers: tuple[Offer, ...] = ()
    """Of a cluster, class by class."""
    unnamed: tuple[Unnamed, ...] = ()
    """GPUs of a cluster that no class describes."""
    machine: tuple[dict[str, Any], ...] = ()
    """GPUs of this machine: name, memory in bytes, driver."""
    hidden: str = ""
    """Why something is not known."""


def look(session: Session, *, everything: bool) -> Hardware:
    """What the session's target has; with `everything` also the classes that it has not.

    Raises:
        SendoffError: the cluster can't be asked.
    """
    target = session.settings.target
    if target != "kubernetes":
        from dispatcher.runner import gpu

        return Hardware(target=target, machine=tuple(gpu.facts()))
    from dispatcher.kubernetes import cluster, offers
    from dispatcher.kubernetes.client import Client
    from dispatcher.kubernetes.cluster_facts import ClusterFacts

    settings = session.cluster()
    catalogue = cluster.catalogue(settings)
    facts = cluster.facts(Client(settings))
    if facts is None:
        nothing = ClusterFacts(nodes=())
        return Hardware(
            target=target,
            offers=tuple(offers.offers(catalogue, nothing, settings, lacking=True)),
            hidden="nodes can't be listed, so nobody knows which of these the cluster has",
        )
    unseen = any(node.used is None for node in facts.nodes)
    return Hardware(
        target=target,
        offers=tuple(offers.offers(catalogue, facts, settings, lacking=everything)),
        unnamed=tuple(offers.unnamed(catalogue, facts)),
        hidden="pods of others can't be listed, so nobody knows what is free" if unseen else "",
    )


def document(found: Hardware) -> dict[str, Any]:
    """The machine's form."""
    if found.target != "kubernetes":
        return {"target": found.target, "gpus": list(found.machine)}
    return {
        "target": found.target,
        "classes": msgspec.to_builtins(found.offers),
        "unnamed": msgspec.to_builtins(found.unnamed),
        "unknown": found.hidden,
    }


def rows(found: Hardware) -> list[list[str]]:
    """Of a cluster, a line below `HEADER` for each class."""
    return [
        [
            offer.name,
            show_size(offer.memory) if offer.memory else "-",
            str(offer.count),
            _count(offer.free),
            str(offer.largest),
            _count(offer.largest_free),
            ", ".join(offer.drivers) or "-",
            offer.queue or "-",
            _obstacles(offer),
        ]
        for offer in found.offers
    ]


def remarks(found: Hardware) -> list[str]:
    """What else there is to know."""
    lines = [found.hidden] if found.hidden else []
    lines += [
        f"{each.count} × {each.product or each.resource} belong to no class; "
        "describe one in [tool.sendoff.classes.NAME]"
        for each in found.unnamed
    ]
    if any(offer.taints for offer in found.offers):
        lines.append("runs go to nodes with these taints only if tolerations names them")
    if any(offer.labels for offer in found.offers):
        lines.append(
            "runs do not go to nodes with these labels: images are for linux/amd64, and "
            "node-selector may ask for more"
        )
    return lines


def _obstacles(offer: Offer) -> str:
    """Taints and labels, and how many GPUs they keep runs off where they can have others."""
    obstacles = (*offer.taints, *offer.labels)
    if not obstacles:
        return "-"
    some = f"{offer.kept_off} more: " if offer.usable else ""
    return some + ", ".join(obstacles)


def _count(number: int | None) -> str:
    return "-" if number is None else str(number)
