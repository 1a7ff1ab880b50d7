"""Faults 12, 13, 14 and 17 of the design's list, as far as they need no server."""

from __future__ import annotations

import pytest

from dispatcher.kubernetes import drivers
from dispatcher.kubernetes.refusals import (
    DriverTooOld,
    GpuNotHere,
    GpuUnknown,
    Impossible,
    KeptOff,
    PlatformUnfit,
)
from dispatcher.kubernetes.settings import ClusterSettings
from tests.unit.dispatcher.kubernetes.conftest import A100, H100, admit, cluster, node, user

TAINT = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_a_class_the_cluster_has_is_admitted(h100s):
    choice = admit(h100s, "h100:2")
    assert [each.name for each in choice.classes] == ["h100"]
    assert choice.count == 2


def test_cores_and_memory_are_the_gpus_share_of_the_node(h100s):
    choice = admit(h100s, "h100:2")
    assert choice.cpus == 18  # 96 / 8 × 2 × 0.75
    assert 185 << 30 < choice.memory < 188 << 30
    asked = admit(h100s, "h100:2", cpus=3, memory=7 << 30)
    assert (asked.cpus, asked.memory) == (3, 7 << 30)


def test_a_busy_class_is_queued_not_refused(h100s):
    all_busy = cluster(node("h-1", 8, product=H100), pods=[user("h-1", 1)])
    cordoned = cluster(node("h-1", 8, product=H100, cordoned=True), pods=[])
    away = cluster(node("h-1", 8, product=H100, ready=False), pods=[])
    for facts in (h100s, all_busy, cordoned, away):
        assert [each.name for each in admit(facts, "h100:8").classes] == ["h100"]


def test_an_unknown_class_is_refused(h100s):
    with pytest.raises(GpuUnknown):
        admit(h100s, "h10")
    with pytest.raises(GpuUnknown):
        admit(h100s, "h100,a10O")
    with pytest.raises(GpuUnknown):
        admit(None, "h10")


def test_a_class_that_no_node_has_is_refused_with_what_there_is(h100s):
    with pytest.raises(GpuNotHere) as caught:
        admit(h100s, "b200")
    assert caught.value.code == "GPU_UNKNOWN"
    assert "h100 (16)" in caught.value.evidence()
    assert "a100-80gb (4)" in caught.value.evidence()
    assert admit(h100s, "b200", settings=ClusterSettings(scalable=("b200",))).count == 1
    assert admit(h100s, "b200", settings=ClusterSettings(scalable=("B200",))).count == 1
    slices = ClusterSettings(scalable=("B200:mig-1g.23gb",))
    assert admit(h100s, "b200:mig-1g.23gb", settings=slices).count == 1
    assert admit(None, "b200").count == 1


@pytest.mark.parametrize(
    ("gpu", "resources", "words"),
    [
        ("h100:9", {}, "9 × h100"),
        ("h100", {"cpus": 200}, "200 cores"),
        ("h100", {"memory": 2 << 40}, "2.2e+03 GB"),
        ("", {"cpus": 97}, "97 cores"),
        ("h100:9,a100-80gb:5", {}, "9 × h100"),
    ],
)
def test_what_no_node_can_ever_give_is_refused_at_once(h100s, gpu, resources, words):
    with pytest.raises(Impossible) as caught:
        admit(h100s, gpu, **resources)
    assert caught.value.code == "GPU_IMPOSSIBLE"
    assert words in str(caught.value)
    assert "96 cores" in str(caught.value)
    assert "h-1" in caught.value.evidence()


def test_the_possible_alternatives_are_kept_in_order(h100s):
    choice = admit(h100s, "a100-80gb,h100")
    assert [each.name for each in choice.classes] == ["a100-80gb", "h100"]
    assert [each.name for each in admit(h100s, "b200,h100").classes] == ["h100"]
    assert [each.name for each in admit(h100s, "h100:9,a100-80gb:4").classes] == ["a100-80gb"]


def test_of_alternatives_that_can_not_share_a_job_the_first_with_room_is_taken():
    facts = cluster(node("h", 8, product=H100), node("a", 8, product=A100), pods=[user("h", 7)])
    choice = admit(facts, "h100:2,a100-80gb:4")
    assert ([each.name for each in choice.classes], choice.count) == (["a100-80gb"], 4)
    choice = admit(facts, "h100:1,a100-80gb:4")
    assert ([each.name for each in choice.classes], choice.count) == (["h100"], 1)


def test_a_slice_takes_the_form_that_the_cluster_has():
    mixed = cluster(node("m", 7, product=H100, resource="nvidia.com/mig-1g.10gb"), pods=[])
    single = cluster(node("s", 7, product=f"{H100}-MIG-1g.10gb"), pods=[])
    assert admit(mixed, "h100:mig-1g.10gb").classes[0].resource == "nvidia.com/mig-1g.10gb"
    assert admit(single, "h100:mig-1g.10gb").classes[0].resource == "nvidia.com/gpu"


def test_slices_are_among_what_there_is_and_gpus_that_runs_may_not_have_are_not():
    facts = cluster(
        node("m", 7, product=H100, resource="nvidia.com/mig-1g.10gb"),
        node("k", 4, product=A100, taints=[{"key": "team", "effect": "NoSchedule"}]),
        pods=[],
    )
    with pytest.raises(GpuNotHere) as caught:
        admit(facts, "b200")
    assert caught.value.here == ("h100-mig-1g.10gb (7)",)


@pytest.mark.parametrize("cuda", ["13.0", "13"])
def test_a_driver_that_is_too_old_everywhere_is_refused(h100s, cuda):
    with pytest.raises(DriverTooOld) as caught:
        admit(h100s, "h100", driver=drivers.for_cuda(cuda))
    assert caught.value.code == "DRIVER_TOO_OLD"
    assert "535.104.05, 550.54.15" in caught.value.evidence()


def test_the_base_and_the_packages_each_want_a_driver(h100s):
    assert drivers.needed("12.4", "450.80.02") == (525, 60, 13)
    assert drivers.needed("", "") == ()
    with pytest.raises(DriverTooOld) as caught:
        admit(h100s, "h100", driver=drivers.needed("12.4", "580.65.06"))
    assert "580.65.06" in caught.value.what()


def test_nodes_with_too_old_a_driver_are_avoided(h100s):
    choice = admit(h100s, "h100", driver=(550,))
    assert choice.driver_label == "nvidia.com/cuda.driver-version.major"
    assert choice.driver_major == 550
    assert admit(h100s, "h100", driver=drivers.for_cuda("12.4")).driver_label == ""


def test_a_driver_that_nobody_knows_is_given_a_chance():
    assert admit(cluster(node("x", 1, product=H100), pods=[]), "h100", driver=(999,)).count == 1


def test_a_taint_of_strangers_is_said():
    own = [*TAINT, {"key": "team", "value": "b", "effect": "NoSchedule"}]
    facts = cluster(node("h", 8, product=H100, taints=own), pods=[])
    with pytest.raises(KeptOff, match="taints") as caught:
        admit(facts, "h100")
    assert caught.value.evidence() == "team=b:NoSchedule"
    assert "tolerations" in caught.value.fix()
    assert admit(cluster(node("h", 8, product=H100, taints=TAINT), pods=[]), "h100").count == 1
    passing = [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]
    assert admit(cluster(node("h", 8, product=H100, taints=passing), pods=[]), "h100").count == 1


def test_a_selector_that_leaves_no_node_is_said():
    facts = cluster(node("h", 8, product=H100, taints=TAINT), pods=[])
    with pytest.raises(KeptOff, match="node selector does not take") as caught:
        admit(facts, "h100", settings=ClusterSettings(node_selector={"pool": "none"}))
    assert caught.value.evidence() == "no pool"
    assert "node-selector" in caught.value.fix()


def test_a_run_without_gpu_keeps_off_tainted_gpu_nodes():
    facts = cluster(
        node("h", 8, product=H100, taints=TAINT), node("c", cpu="4", memory="8Gi"), pods=[]
    )
    assert admit(facts, "cpu").classes == ()
    assert (admit(facts).cpus, admit(facts).memory) == (1, 2 << 30)
    with pytest.raises(Impossible, match="the most that one node has is 4 cores"):
        admit(facts, cpus=5)


GRACE = "NVIDIA-GH200-480GB"


def test_nodes_of_another_platform_are_none():
    arm = node("g", 1, product=GRACE, arch="arm64", cpu="72")
    windows = node("w", cpu="200", labels={"kubernetes.io/os": "windows"})
    facts = cluster(arm, windows, node("h", 8, product=H100), pods=[])
    with pytest.raises(PlatformUnfit) as caught:
        admit(facts, "gh200")
    assert (caught.value.needed, caught.value.found) == ("linux/amd64", ("linux/arm64",))
    assert [each.name for each in admit(facts, "gh200,h100").classes] == ["h100"]
    with pytest.raises(Impossible, match="96 cores"):
        admit(facts, cpus=100)
    with pytest.raises(PlatformUnfit, match="without GPU") as caught:
        admit(cluster(arm, windows))
    assert caught.value.found == ("linux/arm64", "windows/amd64")


def test_a_node_without_the_labels_is_passed_over_as_the_scheduler_does():
    bare = node("b")
    bare["metadata"]["labels"] = {}
    with pytest.raises(PlatformUnfit) as caught:
        admit(cluster(bare))
    assert caught.value.found == ("unknown/unknown",)


def test_what_a_class_is_known_to_run_on_counts_where_nobody_sees_its_nodes(h100s):
    with pytest.raises(PlatformUnfit):
        admit(None, "gb200")
    with pytest.raises(PlatformUnfit):
        admit(h100s, "gh200", settings=ClusterSettings(scalable=("gh200",)))
    assert [each.name for each in admit(None, "gb200,b200").classes] == ["b200"]


def test_the_site_s_own_word_on_the_platform_goes():
    facts = cluster(node("g", 1, product=GRACE, arch="arm64"), pods=[])
    arm = ClusterSettings(node_selector={"kubernetes.io/arch": "arm64"})
    assert admit(facts, "gh200", settings=arm).count == 1
    assert admit(None, "gh200", settings=arm).count == 1


def test_a_node_that_the_selector_does_not_take_is_named_by_its_label():
    facts = cluster(node("h", 8, product=H100, labels={"pool": "a"}), node("c", 1, product=H100))
    with pytest.raises(KeptOff, match="node selector") as caught:
        admit(facts, "h100", settings=ClusterSettings(node_selector={"pool": "b"}))
    assert caught.value.evidence() == "no pool, pool=a"
    assert "node-selector" in caught.value.fix()


@pytest.mark.parametrize(
    ("labels", "version"),
    [
        ({}, None),
        ({"nvidia.com/cuda.driver-version.full": "550.54.15"}, (550, 54, 15)),
        ({"nvidia.com/cuda.driver.major": "535", "nvidia.com/cuda.driver.minor": "104",
          "nvidia.com/cuda.driver.rev": "05"}, (535, 104, 5)),
        ({"nvidia.com/cuda.driver-version.major": "570"}, (570,)),
        ({"nvidia.com/cuda.driver-version.full": "odd"}, None),
    ],
)  # fmt: skip
def test_drivers_as_nodes_say_them(labels, version):
    assert drivers.of_node(labels) == version
    assert version is None or drivers.parse(drivers.show(version)) == version
