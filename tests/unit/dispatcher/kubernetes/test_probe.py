"""What doctor says of a cluster's hardware, by the nodes that an API server tells of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.probe import Finding, Probe
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Resources
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.unit.dispatcher.kubernetes.conftest import A100, H100, node

KEPT = [{"key": "team", "value": "vision", "effect": "NoSchedule"}]
SLICES = node("m", 7, product=A100, resource="nvidia.com/mig-1g.10gb")


def said(**document: Any) -> Answer:
    return Answer(200, body=json.dumps(document).encode())


def findings(
    api: Proxy, settings: ClusterSettings, *nodes: dict, **asked: Any
) -> dict[str, Finding]:
    """Of a cluster that allows everything and has these nodes."""
    api.on("GET", "/version", said(major="1", minor="35", gitVersion="v1.35.0"))
    api.on("GET", "/api/v1/nodes", said(metadata={}, items=nodes))
    api.on("GET", "/namespaces/lab", said(metadata={"name": "lab"}))
    api.on("POST", "accessreviews", said(status={"allowed": True}), times=99)
    api.on("POST", "dryRun", said(), times=2)
    probe = Probe(Client(settings, 2), settings, Resources(**asked))
    return {each.what: each for each in probe.findings()}


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        ({"gpu": "h100:2"}, "good", "h100:2"),
        ({"gpu": "h1000"}, "bad", "there is no GPU class 'h1000'"),
        ({"gpu": "b200"}, "bad", "the cluster has no b200"),
        ({"gpu": "h100", "cpus": 400.0}, "bad", "no node can ever give"),
    ],
)
def test_what_runs_ask_for_by_default_is_looked_for(
    api: Proxy, api_settings: ClusterSettings, asked: dict[str, Any], state: str, words: str
) -> None:
    found = findings(api, api_settings, node("a", 8, product=H100), **asked)
    check = found["hardware asked for"]
    assert (check.state, words in check.said) == (state, True), check
    assert bool(check.fix) == (state == "bad")
    assert found["GPU classes"].said == "h100 (8)"


def test_nothing_is_looked_for_where_nothing_is_asked_for(
    api: Proxy, api_settings: ClusterSettings
) -> None:
    found = findings(api, api_settings, node("a", 8, product=H100))
    assert "hardware asked for" not in found
    assert {each.state for each in found.values()} == {"good"}


@pytest.mark.parametrize(
    ("nodes", "state", "said"),
    [
        ([SLICES], "good", "a100-mig-1g.10gb (7), a100-80gb-mig-1g.10gb (7)"),
        (
            [node("a", 2, product=H100), node("k", 8, product=H100, taints=KEPT)],
            "good",
            "h100 (2)",
        ),
        ([node("k", 8, product=H100, taints=KEPT)], "poor", "runs may go to no node of h100"),
        ([node("c")], "poor", "no node has GPUs of a known class"),
    ],
    ids=["slices", "some kept off", "all kept off", "none"],
)
def test_gpus_that_runs_may_have_are_told(
    api: Proxy, api_settings: ClusterSettings, nodes: list[dict], state: str, said: str
) -> None:
    found = findings(api, api_settings, *nodes)["GPU classes"]
    assert (found.state, found.said) == (state, said)
