"""Settings on their way to the cluster."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dispatcher import targets
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.settings import ClusterSettings
from sendoff.session import Session

STORE = "http://127.0.0.1:1/bucket"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


def test_settings_reach_the_cluster() -> None:
    flags = {
        "namespace": "research",
        "queue": "gold",
        "priority": "high",
        "spot": "yes",
        "pull-secret": "pull",
        "secrets-from": "logins",
        "secret-keys": {"TOKEN": "hub/token"},
        "node-selector": {"zone": "a"},
        "tolerations": ["team=vision:NoSchedule"],
        "labels": {"cost": "4"},
        "scalable": ["b200"],
        "user": 1000,
        "scratch": "5Gi",
        "queue-timeout": "1h",
        "longest": "2d",
        "registry-in-cluster": "registry.internal/runs",
        "runtime-class": "nvidia",
    }
    assert Session.open(Path(), flags).cluster() == ClusterSettings(
        namespace="research",
        queue="gold",
        priority_class="high",
        spot=True,
        image_pull_secrets=("pull",),
        secrets_from="logins",
        secrets={"TOKEN": "hub/token"},
        node_selector={"zone": "a"},
        tolerations=(
            Toleration(key="team", operator="Equal", value="vision", effect="NoSchedule"),
        ),
        labels={"cost": "4"},
        scalable=("b200",),
        user=1000,
        scratch=5 << 30,
        queue_timeout=3600,
        longest=2 * 86_400,
        repository="registry.internal/runs",
        runtime_class="nvidia",
        ttl=3600,
    )


def test_a_pending_time_out_of_none_is_for_ever() -> None:
    assert Session.open(Path(), {"pending-timeout": 0}).cluster().pending_timeout == math.inf


def test_only_a_store_that_pods_reach_has_a_cluster() -> None:
    assert Session.open(Path()).places.cluster is None
    assert Session.open(Path(), {"store": STORE}).places.cluster is not None


def test_a_cluster_s_target_is_remembered_while_it_is_the_same(monkeypatch) -> None:
    places = Session.open(Path(), {"store": STORE}).places
    first = targets.named("kubernetes", places)
    assert targets.named("kubernetes", Session.open(Path(), {"store": STORE}).places) is first
    assert targets.within("vision", "kubernetes", places) is not first
    again = targets.named("kubernetes", places)
    monkeypatch.setenv("KUBECONFIG", "/another")
    assert targets.named("kubernetes", places) is not again
