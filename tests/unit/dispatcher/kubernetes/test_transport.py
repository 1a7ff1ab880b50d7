"""How a cluster is reached by way of proxies."""

from __future__ import annotations

import pytest

from dispatcher.kubernetes import transport
from dispatcher.kubernetes.connection import Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy

HOST = "http://10.1.2.3:6443"

pytestmark = pytest.mark.usefixtures("without_proxies")


@pytest.mark.parametrize("named", [True, False])
def test_a_proxy_is_given_the_login_that_its_url_has(
    api: Proxy, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    url = f"http://ann:p%40ss@127.0.0.1:{api.port}"
    if not named:
        monkeypatch.setenv("HTTP_PROXY", url)
    api.on("GET", "/version", Answer(200, body=b"{}"))
    connection = Connection(host=HOST, authorization="Bearer t", proxy=url if named else "")
    pool = transport.pool(connection)
    assert pool.request("GET", f"{HOST}/version", headers=pool.headers).status == 200
    (seen,) = api.log
    assert seen.headers["proxy-authorization"] == "Basic YW5uOnBAc3M="
    assert seen.headers["authorization"] == "Bearer t"


def test_ranges_of_addresses_need_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert transport.pool(Connection(host=HOST)).proxy
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,.svc")
    assert transport.pool(Connection(host=HOST)).proxy is None


@pytest.mark.parametrize("named", [True, False])
def test_a_proxy_of_another_kind_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    socks = "socks5://ann:secret@bastion.example:1080"
    if not named:
        monkeypatch.setenv("HTTP_PROXY", socks)
    connection = Connection(host=HOST, source="the context c", proxy=socks if named else "")
    with pytest.raises(ClusterNotConfigured, match="HTTP proxies alone") as caught:
        transport.pool(connection)
    source = "the context c" if named else "the environment (http_proxy)"
    assert caught.value.evidence() == f"the proxy socks5://bastion.example:1080 of {source}"
    assert "kubectl proxy" in caught.value.fix()
