"""The Jobs that golden files show and the real API server judges: one of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dispatcher.kubernetes import job
from dispatcher.kubernetes.cluster_facts import ClusterFacts
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Resources
from tests.unit.dispatcher.kubernetes.conftest import A100, H100, admit, cluster, node, run_of


def nodes() -> ClusterFacts:
    """A cluster with one node of each kind."""
    mixed = node("m-1", 7, product=H100, resource="nvidia.com/mig-1g.10gb", driver="535.104.05")
    return cluster(
        node("h-1", 8, product=H100, driver="550.54.15"),
        node("a-1", 8, product=A100, driver="535.104.05"),
        mixed,
        node("c-1"),
        pods=[],
    )


@dataclass
class Case:
    """One Job: what was asked for, by whom."""

    name: str
    gpu: str = ""
    count: int = 1
    driver: tuple[int, ...] = ()
    resources: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    settings: ClusterSettings = field(default_factory=ClusterSettings)


CASES = [
    Case("cpu", resources={"cpus": 2, "memory": 4 << 30}, request={"timeout": 1800.0}),
    Case("h100", "h100"),
    Case("h100-2", "h100:2"),
    Case("fallback", "h100,a100-80gb"),
    Case("driver", "h100,a100-80gb", driver=(545,)),
    Case("mig", "h100:mig-1g.10gb"),
    Case("spot", "h100", settings=ClusterSettings(spot=True)),
    Case("kueue", "h100", settings=ClusterSettings(queue="research")),
    Case("sweep", "h100", 10, request={"max_parallel": 4, "retries": 2, "group": "lr search"}),
    Case("per-pod", count=10, request={"per_pod": 3}),
    Case(
        "secrets",
        request={"secrets": ("WANDB_API_KEY", "HF_TOKEN"), "grace": 5.0},
        settings=ClusterSettings(secrets={"HF_TOKEN": "hugging-face/token"}),
    ),
    Case(
        "site",
        "h100",
        settings=ClusterSettings(
            repository="mirror.local/research",
            image_pull_secrets=("registry",),
            priority_class="low",
            runtime_class="nvidia",
            node_selector={"pool": "research"},
            tolerations=(Toleration(key="team", operator="Equal", value="research"),),
            labels={"cost-centre": "42"},
            ttl=600,
            scratch=200 << 30,
            user=1000,
        ),
    ),
]


def rendered(case: Case) -> dict[str, Any]:
    """The Job of a case."""
    facts = None if case.name == "site" else nodes()
    choice = admit(facts, case.gpu, settings=case.settings, driver=case.driver, **case.resources)
    resources = Resources(gpu=case.gpu, **case.resources)
    run = run_of(case.count, resources=resources, **case.request)
    return job.render(run, choice, case.settings, f"{run.id}-runner")
