from __future__ import annotations

import pytest

from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import matches
from dispatcher.kubernetes.refusals import GpuClassInvalid, GpuUnknown

KNOWN = Catalogue.known()
KINDS = (
    *("h100", "h100-nvl", "h200", "b200", "gb200", "a100-40gb", "a100-80gb", "a40", "a10", "a10g"),
    *("l4", "l40", "l40s", "t4", "v100", "rtx-4090", "rtx-a6000", "mi300x"),
)


@pytest.mark.parametrize("name", KINDS)
def test_the_usual_products_are_known(name):
    (found,) = KNOWN.find(name)
    assert found.labels
    assert 10e9 < found.memory < 300e9
    assert found.resource in ("nvidia.com/gpu", "amd.com/gpu")
    assert found.resource == "amd.com/gpu" or (found.compute and found.driver)


def is_of(name: str, labels: dict[str, str], form: int = 0) -> bool:
    return any(matches(wanted, labels) for wanted in KNOWN.find(name)[form].labels)


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}, "h100"),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, "h100"),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-mega-80gb"}, "h100-mega"),
        ({"karpenter.k8s.aws/instance-gpu-name": "h100"}, "h100"),
        ({"gpu.nvidia.com/class": "H100"}, "h100"),
        (
            {
                "kubernetes.azure.com/accelerator": "nvidia",
                "node.kubernetes.io/instance-type": "Standard_ND96isr_H100_v5",
            },
            "h100",
        ),
        (
            {
                "karpenter.k8s.aws/instance-gpu-name": "a100",
                "karpenter.k8s.aws/instance-gpu-memory": "81920",
            },
            "a100-80gb",
        ),
    ],
)
def test_a_node_is_known_by_the_labels_of_each_cloud(labels, name):
    assert is_of(name, labels)
    others = {each.name for each in KNOWN if is_of(each.name, labels)} - {name}
    assert others <= {"a100"}, "one node, one class, but for the one that spans two"


def test_a_shared_or_sliced_gpu_is_not_a_whole_one():
    gke = {"cloud.google.com/gke-accelerator": "nvidia-tesla-a100"}
    assert is_of("a100-40gb", gke)
    assert not is_of("a100-40gb", gke | {"cloud.google.com/gke-gpu-partition-size": "1g.5gb"})
    assert not is_of("a100-40gb", gke | {"cloud.google.com/gke-gpu-sharing-strategy": "mps"})
    assert not is_of("h100", {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED"})
    # Karpenter says what the instance has, GPU Feature Discovery what pods get.
    karpenter = {"karpenter.k8s.aws/instance-gpu-name": "h100"}
    shared = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED"}
    assert not is_of("h100", karpenter | shared)


def test_a_slice_is_a_resource_or_a_product_of_its_own():
    mixed, single = KNOWN.find("h100-mig-1g.10gb")
    assert mixed.resource == "nvidia.com/mig-1g.10gb"
    assert single.resource == "nvidia.com/gpu"
    assert mixed.memory == single.memory == 10 * 10**9
    product = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert is_of("h100:mig-1g.10gb", product)
    sliced = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"}
    assert is_of("h100:mig-1g.10gb", sliced, form=1)
    assert not is_of("h100", sliced)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("h10", "h100"),
        ("a100-80", "a100-80gb"),
        ("rtx4090", "rtx-4090"),
        ("h100-mig-1g.11gb", "h100-mig-1g.10gb"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, near):
    with pytest.raises(GpuUnknown) as caught:
        KNOWN.find(name)
    assert caught.value.code == "GPU_UNKNOWN"
    assert caught.value.near[0] == near
    assert near in caught.value.fix()
    assert "h100" in caught.value.evidence()


def test_a_site_adds_classes_and_alters_known_ones():
    catalogue = Catalogue.known(
        {
            "big": {"labels": {"pool": ["big"]}, "memory": 80, "queue": "research"},
            "h100": {"like": "h100", "runtime-class": "nvidia", "driver": "550.1"},
            "odd": {"resource": "example.com/npu", "labels": [{"npu": ["x"]}, {"npu": ["y"]}]},
        }
    )
    (big,), (h100,), (odd,) = map(catalogue.find, ("big", "h100", "odd"))
    assert (big.queue, big.memory) == ("research", 80 * 10**9)
    assert (h100.runtime_class, h100.memory) == ("nvidia", 80 * 10**9)
    assert h100.labels == KNOWN.find("h100")[0].labels
    assert len(odd.labels) == 2


L40S = {"nvidia.com/gpu.product": "NVIDIA-L40S"}


def test_labels_narrow_the_class_that_one_is_like():
    catalogue = Catalogue.known(
        {
            "vision": {"like": "l40s", "labels": {"rack": ["7"]}},
            "either": {"like": "l40s", "labels": [{"rack": ["7"]}, {"rack": ["8"]}]},
            "new": {"like": "l40s", "product": ["NVIDIA-L41S"], "labels": {"rack": ["7"]}},
        }
    )

    def is_one(name: str, labels: dict[str, str]) -> bool:
        (found,) = catalogue.find(name)
        return any(matches(wanted, labels) for wanted in found.labels)

    assert is_one("vision", {**L40S, "rack": "7"})
    assert is_one("vision", {"karpenter.k8s.aws/instance-gpu-name": "l40s", "rack": "7"})
    assert not is_one("vision", {"rack": "7"})
    assert not is_one("vision", {**L40S, "rack": "8"})
    assert is_one("either", {**L40S, "rack": "8"})
    assert not is_one("either", {**L40S, "rack": "9"})
    assert is_one("new", {"nvidia.com/gpu.product": "NVIDIA-L41S", "rack": "7"})
    assert not is_one("new", {**L40S, "rack": "7"})
    assert not is_one("new", {"rack": "7"})


@pytest.mark.parametrize("name", ["Vision", "my_gpu", "Big GPU"])
def test_a_name_is_found_however_it_is_written(name):
    catalogue = Catalogue.known({name: {"like": "RTX_4090"}})
    (found,) = catalogue.find(name)
    assert catalogue.find(name.lower()) == catalogue.find(name.upper()) == (found,)
    assert found.labels == KNOWN.find("rtx-4090")[0].labels


@pytest.mark.parametrize(
    "table",
    [
        "h100",
        {"like": "h1000"},
        {"memory": "much"},
        {"labels": {"pool": "big"}},
        {"color": "red"},
        {"labels": [1]},
        {"labels": "rack"},
        {"product": "NVIDIA-L40S"},
        {"ec2": "p5.48xlarge", "memory": 80},
        {"karpenter": ["a100"], "karpenter-memory": "40960"},
        {"karpenter": ["a100"], "karpenter-memory": [40960]},
    ],
)
def test_a_table_that_can_not_be_read_is_said_to_be(table):
    with pytest.raises(GpuClassInvalid, match="'mine'"):
        Catalogue.known({"mine": table})
