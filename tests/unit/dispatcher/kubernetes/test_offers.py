"""What a cluster has of each class, for people; and how much too little of it is free."""

from __future__ import annotations

import pytest

from dispatcher.gpu_expression import parse
from dispatcher.kubernetes import offers, shortage
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.tolerations import parse as toleration
from tests.unit.dispatcher.kubernetes.conftest import A100, H100, cluster, node, user

PLAIN = ClusterSettings()
KEPT = [{"key": "team", "value": "vision", "effect": "NoSchedule"}]


def by_name(facts, settings=PLAIN, **wanted):
    known = Catalogue.known(settings.gpu_classes)
    return {each.name: each for each in offers.offers(known, facts, settings, **wanted)}


def test_counts_of_a_class():
    facts = cluster(
        node("a", 8, product=H100, driver="550.54.15"),
        node("b", 4, product=H100, driver="535.104.05"),
        node("c", 0),
        pods=[user("a", 6), user("b", 1)],
    )
    found = by_name(facts)
    assert list(found) == ["h100"]
    h100 = found["h100"]
    assert (h100.nodes, h100.count, h100.free) == (2, 12, 5)
    assert (h100.largest, h100.largest_free) == (8, 3)
    assert h100.drivers == ("535.104.05", "550.54.15")
    assert (h100.memory, h100.own, h100.usable, h100.taints) == (80 * 10**9, False, True, ())


def test_what_is_free_is_not_known_where_pods_may_not_be_seen():
    found = by_name(cluster(node("a", 8, product=H100)))["h100"]
    assert (found.count, found.free, found.largest_free) == (8, None, None)


def test_nodes_that_keep_runs_off_do_not_count_unless_all_do():
    facts = cluster(node("a", 2, product=H100), node("b", 8, product=H100, taints=KEPT), pods=[])
    found = by_name(facts)["h100"]
    assert (found.count, found.largest_free, found.kept_off) == (2, 2, 8)
    assert found.taints == ("team=vision:NoSchedule",)
    only = by_name(cluster(node("b", 8, product=H100, taints=KEPT), pods=[]))["h100"]
    assert (only.count, only.usable, only.kept_off) == (8, False, 8)
    tolerant = ClusterSettings(tolerations=(toleration("team=vision:NoSchedule"),))
    assert by_name(facts, tolerant)["h100"].count == 10


def test_nodes_that_the_selector_does_not_take_do_not_count():
    product = "NVIDIA-GH200-480GB"
    facts = cluster(
        node("a", 2, product=H100, labels={"pool": "a"}),
        node("b", 8, product=H100),
        node("g", 1, product=product, arch="arm64"),
        pods=[],
    )
    arm = by_name(facts)["gh200"]
    assert (arm.usable, arm.kept_off, arm.taints) == (False, 1, ())
    assert arm.labels == ("kubernetes.io/arch=arm64",)
    assert by_name(facts)["h100"].labels == ()
    found = by_name(facts, ClusterSettings(node_selector={"pool": "a"}))["h100"]
    assert (found.count, found.largest, found.kept_off, found.labels) == (2, 2, 8, ("no pool",))


def test_a_class_of_the_site_and_its_queue():
    own = {"Vision": {"labels": {"rack": ["7"]}, "queue": "gold", "memory": 24}}
    settings = ClusterSettings(gpu_classes=own, queue="common")
    found = by_name(
        cluster(node("a", 2, labels={"rack": "7"}), node("b", 1, product=H100)), settings
    )
    assert found["vision"].own
    assert found["vision"].queue == "gold"
    assert found["h100"].queue == "common"


def test_classes_that_the_cluster_lacks_are_listed_where_asked_for():
    found = by_name(cluster(node("a", 2, product=H100)), lacking=True)
    assert found["b200"].count == 0
    assert found["h100"].count == 2


def test_slices_are_listed_by_the_name_that_asks_for_them():
    mixed = node("a", 7, product=A100, resource="nvidia.com/mig-1g.10gb")
    assert by_name(cluster(mixed))["a100-80gb-mig-1g.10gb"].count == 7


def test_gpus_of_no_class_are_named():
    facts = cluster(node("a", 4, product="NVIDIA-X1"), node("b", 2, product=H100), node("c"))
    assert offers.unnamed(Catalogue.known(), facts) == [
        offers.Unnamed(product="NVIDIA-X1", resource="nvidia.com/gpu", nodes=1, count=4)
    ]


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        ("h100", "no h100 is free (0 of 2)"),
        ("h100:2", "no node has 2 h100 free (0 of 2, 0 on one node)"),
        (
            "h100,a100-80gb:4",
            "no h100 is free (0 of 2); no node has 4 a100-80gb free (3 of 8, 3 on one node)",
        ),
        ("b200", ""),
    ],
)
def test_a_shortage_is_said_in_the_words_that_were_asked_with(gpu, words):
    facts = cluster(
        node("a", 2, product=H100),
        node("b", 8, product=A100),
        pods=[user("a", 2), user("b", 5)],
    )
    assert shortage.describe(parse(gpu), facts, PLAIN) == words


def test_a_shortage_of_which_nothing_is_known():
    facts = cluster(node("a", 2, product=H100))
    assert shortage.describe(parse("h100"), facts, PLAIN) == "no h100 is free (of 2)"


def test_nodes_are_looked_at_now_and_then_and_only_for_gpus():
    looks = []

    def facts():
        looks.append(1)
        return cluster(node("a", 2, product=H100), pods=[user("a", 2)])

    waits = shortage.Shortage("h100", facts, PLAIN)
    assert {waits.words() for _ in range(5)} == {"no h100 is free (0 of 2)"}
    assert looks == [1]
    assert shortage.Shortage("", facts, PLAIN).words() == ""
    assert looks == [1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", Toleration(key="a")),
        ("a:NoExecute", Toleration(key="a", effect="NoExecute")),
        ("a=b", Toleration(key="a", operator="Equal", value="b")),
        (
            "x.io/a=b:NoSchedule",
            Toleration(key="x.io/a", operator="Equal", value="b", effect="NoSchedule"),
        ),
    ],
)
def test_tolerations_are_written_as_taints(text, expected):
    assert toleration(text) == expected


@pytest.mark.parametrize("text", ["", ":NoSchedule", "a:Never", "a:"])
def test_what_is_no_taint(text):
    with pytest.raises(ValueError, match="is no taint"):
        toleration(text)
