"""Which nodes a run's pods may go on, and which they would rather. Pure."""

from __future__ import annotations

from typing import Any

from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.gpu_classes import Labels

_BEST = 100
"""The greatest weight a preference may have (core/v1, PreferredSchedulingTerm)."""


def node_affinity(choice: Choice) -> dict[str, Any]:
    """The nodes of the chosen classes, the first ones preferred; empty for a run without GPU."""
    terms = [_terms(gpu.labels, choice) for gpu in choice.classes]
    if not terms or not all(terms):
        return {}
    rules: dict[str, Any] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [term for some in terms for term in some]
        }
    }
    if len(terms) > 1:
        rules["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": max(1, _BEST * (len(terms) - place) // len(terms)), "preference": term}
            for place, some in enumerate(terms)
            for term in some
        ]
    return {"nodeAffinity": rules}


def _terms(labels: tuple[Labels, ...], choice: Choice) -> list[dict[str, Any]]:
    """One term for each way in which a node can be of the class; any of them will do."""
    floor = []
    if choice.driver_label:
        least = {"operator": "Gt", "values": [str(choice.driver_major - 1)]}
        floor = [{"key": choice.driver_label, **least}]
    return [{"matchExpressions": expressions(each) + floor} for each in labels]


def expressions(labels: Labels) -> list[dict[str, Any]]:
    """What selects nodes with these labels (meta/v1, LabelSelectorRequirement)."""
    return [
        {"key": key, "operator": "In", "values": list(values)}
        if values
        else {"key": key, "operator": "DoesNotExist"}
        for key, values in labels.items()
    ]
