"""The targets by name."""

from __future__ import annotations

from dispatcher.places import Places
from dispatcher.target import Target


def named(name: str, places: Places) -> Target:
    """The target called `name`: "local" or "kubernetes"."""
    if name == "kubernetes":
        from dispatcher.kubernetes.target import KubernetesTarget

        return KubernetesTarget(places)
    from dispatcher.local.target import LocalTarget

    return LocalTarget(places)
