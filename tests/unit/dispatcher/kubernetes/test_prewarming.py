"""What is told of pre-warming where somebody has changed its objects."""

from __future__ import annotations

import json

import pytest

from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.prewarm import IMAGES, Prewarm, WarmImage, daemon_set
from dispatcher.kubernetes.prewarm_sight import settled
from dispatcher.kubernetes.prewarming import Prewarming
from dispatcher.kubernetes.settings import ClusterSettings
from sendoff.bases import prewarming
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy
from tests.unit.dispatcher.kubernetes.conftest import A100, node

IMAGE = WarmImage(reference="registry.example/base@sha256:" + "1" * 64, python="/p", title="cpu")


def answer(*items: dict) -> Answer:
    return Answer(200, body=json.dumps({"items": items}).encode())


@pytest.mark.parametrize("altered", ["oops", "[{}]", '{"a": 1}', ""])
def test_images_that_can_not_be_read_are_no_other_class_s_trouble(
    api: Proxy, api_settings: ClusterSettings, altered: str
) -> None:
    names = ("a100-80gb", "h100")
    sets = [daemon_set(Prewarm(name=each, images=(IMAGE,)), api_settings) for each in names]
    sets[1]["metadata"]["annotations"][IMAGES] = altered
    api.on("GET", "/daemonsets", answer(*sets))
    api.on("GET", "/pods", answer())
    api.on("GET", "/nodes", answer(node("a-1", 4, product=A100)))
    api.on("GET", "kruise", Answer(404, body=b"404 page not found"), times=9)
    client = Client(api_settings)
    good, bad = Prewarming(client, api_settings).look()
    assert (good.prewarm, good.node, good.image) == ("a100-80gb", "a-1", IMAGE)
    assert (bad.prewarm, bad.state) == ("h100", "failed")
    assert settled([bad], client.now())
    assert prewarming.row(bad, 0)[:4] == ["h100", "-", "unknown", "failed (RECORD_UNREADABLE)"]
    (words,) = prewarming.remedies([bad])
    assert IMAGES in words
    assert words.endswith("sendoff base prewarm --gpu h100")
