"""The targets by name."""

from __future__ import annotations

from dispatcher.places import Places
from dispatcher.target import Target

NAMES = ("local", "docker", "kubernetes")


def named(name: str, places: Places) -> Target:
    """The target of that name, one of `NAMES`; its modules are loaded here."""
    if name == "docker":
        from dispatcher.docker.target import DockerTarget

        return DockerTarget(places)
    if name == "kubernetes":
        from dispatcher.kubernetes.target import KubernetesTarget

        return KubernetesTarget(places)
    from dispatcher.local.target import LocalTarget

    return LocalTarget(places)
