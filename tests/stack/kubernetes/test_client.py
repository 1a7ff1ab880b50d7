"""Calls that fail: faults 8, 9 and 10 of the design's list, against the real API server."""

from __future__ import annotations

import json
import time

import pytest

from dispatcher.kubernetes.answers import Refusal
from dispatcher.kubernetes.client import Client, Unanswered
from dispatcher.kubernetes.errors import (
    ApiForbidden,
    ApiRejected,
    ApiUnauthorized,
    ClusterFailing,
    ClusterUnreachable,
    NamespaceMissing,
)
from dispatcher.kubernetes.paths import NODES, Paths
from dispatcher.kubernetes.settings import ClusterSettings
from tests.faults.faults import Answer, BlackHole, CutAnswer, LoseAnswer


def client_of(lab, proxy, patience: float = 30) -> Client:
    return lab.through(proxy).client(patience)


def secret(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def test_a_token_that_was_rotated_is_read_again_once(lab, proxy):
    token = lab.places.state / "token"
    path = lab.kubeconfig(proxy, tokenFile=str(token))
    token.write_text("stale")
    client = Client(ClusterSettings(kubeconfig=str(path), namespace=lab.namespace))
    assert client.host
    token.write_text(lab.token("researcher"))
    assert client.get(NODES)
    assert [each.status for each in proxy.seen("GET", NODES)] == [401, 200]
    client.get(NODES)
    assert len(proxy.seen("GET", NODES)) == 3, "the fresh one is kept"


def test_a_token_that_stays_wrong_is_said_to_be(lab, proxy):
    client = Client(ClusterSettings(kubeconfig=str(lab.kubeconfig(proxy, "wrong"))))
    with pytest.raises(ApiUnauthorized) as caught:
        client.get(NODES)
    assert len(proxy.seen("GET", NODES)) == 2
    assert caught.value.code == "CLUSTER_AUTH"
    assert "the context c" in caught.value.why()


@pytest.mark.parametrize("status", [429, 503])
def test_the_servers_own_pause_is_kept(lab, proxy, status):
    rule = proxy.on("GET", NODES, Answer(status, {"Retry-After": "1"}, b"busy"), times=2)
    began = time.monotonic()
    assert client_of(lab, proxy).get(NODES)
    assert 2 <= time.monotonic() - began < 8
    assert len(rule.met) == 2


def test_a_pause_without_end_is_not_waited_for(lab, proxy):
    proxy.on("GET", NODES, Answer(503, {"Retry-After": "3600"}, b"later"), times=99)
    began = time.monotonic()
    with pytest.raises(ClusterFailing) as caught:
        client_of(lab, proxy, patience=1).get(NODES)
    assert time.monotonic() - began < 3
    assert caught.value.status == 503
    assert "later" in caught.value.evidence()


@pytest.mark.parametrize("fault", [CutAnswer(after=20), LoseAnswer(), Answer(500), Answer(504)])
def test_reading_survives_what_passes(lab, proxy, fault):
    rule = proxy.on("GET", NODES, fault, times=2)
    assert client_of(lab, proxy).get(NODES)
    assert len(rule.met) == 2


def test_a_server_that_is_down_is_waited_for(lab, proxy):
    client = client_of(lab, proxy, patience=1)
    proxy.refuse()
    with pytest.raises(ClusterUnreachable) as caught:
        client.get(NODES)
    assert str(proxy.port) in str(caught.value)
    proxy.heal()
    assert client.get(NODES)


def test_a_right_that_is_missing_is_named_and_not_asked_for_again(lab, proxy):
    client = client_of(lab, proxy)
    path = Paths("kube-system").jobs
    with pytest.raises(ApiForbidden) as caught:
        client.create(path, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}})
    error = caught.value
    assert (error.verb, error.resource, error.namespace) == ("create", "jobs", "kube-system")
    assert len(proxy.seen("POST", path)) == 1


def test_a_lost_answer_to_a_create_is_said_and_not_repeated(lab, proxy):
    paths = Paths(lab.namespace)
    proxy.on("POST", paths.secrets, LoseAnswer())
    client = client_of(lab, proxy)
    with pytest.raises(Unanswered):
        client.create(paths.secrets, secret("lost"))
    assert len(proxy.seen("POST", paths.secrets)) == 1
    with pytest.raises(Refusal) as caught:
        client.create(paths.secrets, secret("lost"))
    assert caught.value.status == 409


def test_a_create_that_was_turned_away_is_repeated(lab, proxy):
    paths = Paths(lab.namespace)
    rule = proxy.on("POST", paths.secrets, Answer(429, {"Retry-After": "0"}), times=2)
    assert client_of(lab, proxy).create(paths.secrets, secret("twice"))
    assert len(rule.met) == 2


def test_what_is_not_valid_is_said_in_the_servers_words(lab):
    client = lab.client()
    with pytest.raises(ApiRejected) as caught:
        client.create(Paths(lab.namespace).secrets, secret("Not A Name"))
    assert "RFC 1123" in caught.value.evidence()
    assert caught.value.status == 422


def test_a_namespace_that_is_not_there_is_named(lab):
    with pytest.raises(NamespaceMissing, match="nowhere-at-all"):
        lab.admin.create(Paths("nowhere-at-all").secrets, secret("x"))


def test_a_connection_that_goes_silent_is_given_up(lab, proxy, monkeypatch):
    from dispatcher.kubernetes import client as module

    monkeypatch.setattr(module, "_READ", 0.5)
    rule = proxy.on("GET", NODES, BlackHole())
    assert client_of(lab, proxy).get(NODES)
    assert rule.met


def test_tls_is_verified(lab):
    url = lab.stack.known["api"]["url"]
    path = lab.places.state / "kubeconfig"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
    }
    path.write_text(json.dumps(document))
    with pytest.raises(ClusterUnreachable) as caught:
        Client(ClusterSettings(kubeconfig=str(path)), patience=0.5).get(NODES)
    assert "certificate" in caught.value.evidence()
