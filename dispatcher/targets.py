"""The targets by name."""

from __future__ import annotations

import os

import msgspec

from dispatcher.places import Places
from dispatcher.run import Run
from dispatcher.target import Target

NAMES = ("local", "docker", "kubernetes")

_latest: list[tuple[tuple[Places, str], Target]] = []
"""The cluster's target that was used last, and what it was made from."""


def of(run: Run, places: Places) -> Target:
    """The target of a run, as it was used when the run was sent off."""
    return within(run.namespace, run.request.target, places)


def within(namespace: str, name: str, places: Places) -> Target:
    """The target of that name, in a namespace of its cluster; empty for the configured one."""
    if namespace and places.cluster:
        cluster = msgspec.structs.replace(places.cluster, namespace=namespace)
        places = msgspec.structs.replace(places, cluster=cluster)
    return named(name, places)


def named(name: str, places: Places) -> Target:
    """The target of that name, one of `NAMES`; its modules are loaded here.

    A cluster's target is remembered: it has a connection, and what it was told of nodes.
    """
    if name == "docker":
        from dispatcher.docker.target import DockerTarget

        return DockerTarget(places)
    if name == "kubernetes":
        from dispatcher.kubernetes.target import KubernetesTarget

        setting = places, os.environ.get("KUBECONFIG", "")
        if not _latest or _latest[0][0] != setting:
            _latest[:] = [(setting, KubernetesTarget(places))]
        return _latest[0][1]
    from dispatcher.local.target import LocalTarget

    return LocalTarget(places)


def expect_more(name: str) -> None:
    """This process sends off one run after another: the target may keep ready what serves them."""
    if name == "local":
        from dispatcher.local.supervision import SUPERVISION

        SUPERVISION.expect_more()
