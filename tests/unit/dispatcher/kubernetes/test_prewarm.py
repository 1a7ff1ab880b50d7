"""What has images pulled as golden files; the real API server judges it in tests/stack."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import matches
from dispatcher.kubernetes.gpu_classes import GpuClass, Toleration
from dispatcher.kubernetes.prewarm import Prewarm, WarmImage, daemon_set
from dispatcher.kubernetes.prewarm_jobs import image_pull_jobs
from dispatcher.kubernetes.prewarm_objects import Warmer
from dispatcher.kubernetes.settings import ClusterSettings
from packer.digest import Digest
from tests.unit.dispatcher.kubernetes.conftest import H100, cluster, node

BASE = WarmImage(
    reference=f"registry.example/team/runs@{Digest.of(b'base')}",
    python="/usr/bin/python3.11",
    title="cpu",
    size=40_000_000,
)
SHARED = WarmImage(
    reference=f"registry.example/team/runs@{Digest.of(b'shared')}",
    python="/usr/bin/python3.11",
    title="cpu+8",
    size=4_000_000_000,
)
SITE = ClusterSettings(
    image_pull_secrets=("registry",),
    node_selector={"pool": "research"},
    tolerations=(Toleration(key="team", operator="Equal", value="research"),),
    labels={"cost-centre": "42"},
)


def h100() -> GpuClass:
    return Catalogue.known().find("h100")[0]


def prewarm(name: str) -> tuple[Prewarm, ClusterSettings]:
    if name == "cpu":
        return Prewarm(name="cpu", images=(BASE,)), ClusterSettings()
    if name == "h100":
        return Prewarm(name="h100", images=(BASE, SHARED), gpu=h100()), SITE
    vision = GpuClass(name="vision", resource="example.com/gpu")
    return Prewarm(name="vision", images=(BASE,), gpu=vision, nodes=("v-1", "v-2")), SITE


@pytest.mark.parametrize("name", ["cpu", "h100", "vision"])
def test_a_daemon_set(name: str, golden):
    golden(f"prewarm/{name}.json", json.dumps(daemon_set(*prewarm(name)), indent=2) + "\n")


@pytest.mark.parametrize("name", ["cpu", "h100", "vision"])
def test_jobs_of_openkruise(name: str, golden):
    made, settings = prewarm(name)
    nodes = cluster(node("h-1", 8, product=H100)).nodes
    jobs = image_pull_jobs(made, nodes, settings, "v1alpha1")
    golden(f"prewarm/kruise-{name}.json", json.dumps(jobs, indent=2) + "\n")


def test_every_way_to_be_of_a_class_has_its_job_where_there_is_no_node_yet():
    made, settings = prewarm("h100")
    jobs = image_pull_jobs(made, (), settings, "v1beta1")
    assert len(jobs) == len(made.images) * len(h100().labels)
    assert len({job["metadata"]["name"] for job in jobs}) == len(jobs)
    assert {job["apiVersion"] for job in jobs} == {"apps.kruise.io/v1beta1"}


def test_a_job_selects_what_the_class_says():
    made, settings = prewarm("h100")
    nodes = cluster(node("h-1", 8, product=H100)).nodes
    (selector,) = {
        json.dumps(job["spec"]["selector"])
        for job in image_pull_jobs(made, nodes, settings, "v1beta1")
    }
    wanted = {
        each["key"]: tuple(each.get("values", ()))
        for each in json.loads(selector)["matchExpressions"]
    }
    assert matches(wanted, nodes[0].labels)


def test_an_image_s_container_is_called_the_same_whatever_else_is_pulled():
    alone = daemon_set(Prewarm(name="cpu", images=(SHARED,)), SITE)
    beside = daemon_set(Prewarm(name="cpu", images=(BASE, SHARED)), SITE)
    names = [
        [each["name"] for each in made["spec"]["template"]["spec"]["initContainers"]]
        for made in (alone, beside)
    ]
    assert names[0][0] == names[1][1]


def there(job: dict[str, Any], uid: str, **metadata: str) -> dict[str, Any]:
    """A job as the API has it."""
    return {**job, "metadata": {**job["metadata"], "uid": uid, **metadata}}


def again(*jobs: dict[str, Any], image: WarmImage = BASE) -> str:
    """The name of the job of one image where these are there."""
    warmers = [msgspec.convert(each, Warmer) for each in jobs]
    made = Prewarm(name="cpu", images=(image,))
    (job,) = image_pull_jobs(made, (), SITE, "v1beta1", warmers)
    return str(job["metadata"]["name"])


def test_a_job_that_has_ended_is_replaced_and_one_under_way_is_not() -> None:
    (job,) = image_pull_jobs(Prewarm(name="cpu", images=(BASE,)), (), SITE, "v1beta1")
    name = job["metadata"]["name"]
    under_way = there(job, "1") | {"status": {"desired": 2, "succeeded": 1, "active": 1}}
    assert again(under_way) == name
    assert again(there(job, "1")) == name, "nobody has begun with it"
    ended = there(job, "1") | {"status": {"desired": 2, "succeeded": 1, "failed": 1}}
    second = again(ended)
    assert second != name
    assert again(ended) == second, "whoever else asks now gets the same"
    leaving = there(job, "1", deletionTimestamp="2026-11-24T03:11:27Z")
    assert again(leaving) == second, "what is applied to it goes with it"
    replaced = there({**job, "metadata": {"name": second}}, "2")
    assert again(ended, replaced) == second
    assert again(ended, replaced, image=SHARED) not in {name, second}
    elsewhere = WarmImage(reference=f"mirror.example/x@{BASE.digest}", python=BASE.python)
    assert again(replaced, image=elsewhere) not in {name, second}


def test_nodes_of_a_class_without_labels_are_named_one_a_term() -> None:
    """As the API wants it; a label with the name of the host may say something else."""
    made = daemon_set(*prewarm("vision"))
    affinity = made["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [term["matchFields"][0]["values"] for term in terms] == [["v-1"], ["v-2"]]
    assert {term["matchFields"][0]["key"] for term in terms} == {"metadata.name"}
