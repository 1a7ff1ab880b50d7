"""What is asked of a cluster before a run is sent there: its nodes, its classes."""

from __future__ import annotations

from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.cluster_facts import ClusterFacts, of_nodes
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.objects import Node, UsingPod
from dispatcher.kubernetes.paths import ALL_PODS, NODES
from dispatcher.kubernetes.settings import ClusterSettings

_USING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"


def facts(client: Client, *, usage: bool = True) -> ClusterFacts | None:
    """What the nodes offer, and with `usage` what of it is in use; None where that is forbidden.

    Usage takes the right to list the pods of all namespaces; without it nothing is said of it.
    """
    try:
        nodes = everything(client, NODES, Node).items
    except ApiForbidden:
        return None
    pods = None
    if usage:
        try:
            pods = everything(client, ALL_PODS, UsingPod, {"fieldSelector": _USING}).items
        except ApiForbidden:
            pods = None
    return of_nodes(nodes, pods)


def catalogue(settings: ClusterSettings) -> Catalogue:
    """The GPU classes that can be asked for.

    Raises:
        GpuClassInvalid
    """
    return Catalogue.known(settings.gpu_classes)
