"""What is at the server's address where that is no API server."""

from __future__ import annotations

import pytest

from dispatcher.kubernetes.answers import Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import NotKubernetes
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.objects import Node
from dispatcher.kubernetes.paths import ACCESS_REVIEWS, KUEUE, NODES, VERSION, group
from dispatcher.kubernetes.probe import Probe
from dispatcher.kubernetes.settings import ClusterSettings
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy

LOGIN = b"<html>log in</html>\n<more>"
FOREIGN = [
    Answer(404, body=LOGIN),
    Answer(404, body=b'{"type": "error", "status": "404"}'),
    Answer(200, body=LOGIN),
    Answer(200),
    Answer(302, {"Location": "/login"}, LOGIN),
]


@pytest.mark.parametrize("answer", FOREIGN)
def test_another_server_is_told_with_its_first_line(
    api: Proxy, api_settings: ClusterSettings, answer: Answer
) -> None:
    api.on("*", "", answer, times=9)
    client = Client(api_settings)
    with pytest.raises(NotKubernetes, match=f"{api.port} is no Kubernetes API") as caught:
        everything(client, NODES, Node)
    first = answer.body.decode().split("\n")[0]
    assert caught.value.evidence() == (first or "an empty answer")
    assert f"{NODES} is answered with {answer.status}" in caught.value.why()
    with pytest.raises(NotKubernetes):
        client.ask(ACCESS_REVIEWS, {})


@pytest.mark.parametrize("answer", [*FOREIGN, Answer(200, body=b'{"Version": "27.0"}')])
def test_doctor_says_so_of_another_server(
    api: Proxy, api_settings: ClusterSettings, answer: Answer
) -> None:
    api.on("GET", VERSION, answer)
    (finding,) = Probe(Client(api_settings), api_settings).findings()
    assert (finding.what, finding.state) == ("cluster", "bad")
    assert "is no Kubernetes API" in finding.said
    assert finding.fix


def test_a_group_that_the_cluster_has_not_is_no_sign_of_another_server(
    api: Proxy, api_settings: ClusterSettings
) -> None:
    client = Client(api_settings)
    for path in (group("apps.kruise.io", "v1beta1"), KUEUE):
        api.on("GET", path, Answer(404, body=b"404 page not found\n"))
        with pytest.raises(Refusal):
            client.get(path)
