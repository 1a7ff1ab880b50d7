"""Connections: proxies, certificates, and hosts that are not there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from packer.registry.access import Access
from packer.registry.answer import Interrupted
from packer.registry.client import Client
from packer.registry.errors import (
    AnswerUnreadable,
    PullInterrupted,
    RegistryRefused,
    RegistryUnreachable,
    RegistryUntrusted,
)
from packer.registry.reference import Repository
from packer.registry.transport import Transport, split
from tests.faults.faults import Answer, BlackHole, CutAnswer
from tests.faults.proxy import Proxy
from tests.registries.certificates import Identity, for_loopback
from tests.registries.process import RegistryProcess, free_port

Serve = Callable[..., RegistryProcess]

pytestmark = pytest.mark.usefixtures("without_proxies")


def client(host: str, access: Access) -> Client:
    return Client(Repository(host=host, path="tests/x"), access)


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://a/b?c=d", "http://a", "/b?c=d"),
        ("HTTPS://A.example.com:443/b#c", "https://a.example.com", "/b"),
        ("http://a:80", "http://a", "/"),
        ("http://a:8080?x", "http://a:8080", "?x"),
        ("https://user:pass@a:80/b", "https://a:80", "/b"),
        ("http://[::1]:5000/v2/", "http://[::1]:5000", "/v2/"),
    ],
)
def test_urls(url: str, origin: str, target: str) -> None:
    assert split(url) == (origin, target)


@pytest.mark.parametrize(
    ("host", "options", "scheme"),
    [
        ("registry.example.com", {}, "https"),
        ("registry.example.com", {"insecure": ("registry.example.com",)}, "http"),
        ("registry.example.com:5000", {"insecure": ("registry.example.com",)}, "https"),
        ("localhost:5000", {}, "http"),
        ("127.0.0.1:5000", {}, "http"),
        ("127.0.0.1:5000", {"certificates": Path("ca.pem")}, "https"),
        ("10.0.0.1:5000", {}, "https"),
    ],
)
def test_plain_http_is_for_the_loopback_or_where_it_is_asked_for(
    host: str, options: dict[str, object], scheme: str
) -> None:
    assert Transport(Access(**options)).scheme(host) == scheme


def test_tls_with_an_authority_of_ones_own(serve: Serve, identity: Identity) -> None:
    host = serve(identity=identity).host
    trusting = Access(certificates=identity.authority, patience=1)
    assert client(host, trusting).find_manifest("none") is None


def test_tls_with_an_unknown_authority(serve: Serve, identity: Identity, tmp_path: Path) -> None:
    other = for_loopback(tmp_path / "other")
    host = serve(identity=identity).host
    with pytest.raises(RegistryUntrusted) as caught:
        client(host, Access(certificates=other.authority)).find_manifest("none")
    assert "SENDOFF_REGISTRY_CA" in caught.value.fix()


def test_a_registry_without_tls(server: RegistryProcess, identity: Identity) -> None:
    with pytest.raises(RegistryUntrusted) as caught:
        client(server.host, Access(certificates=identity.authority)).find_manifest("none")
    assert f"SENDOFF_REGISTRY_INSECURE={server.host}" in caught.value.fix()


def test_plain_words_to_a_registry_with_tls(serve: Serve, identity: Identity) -> None:
    host = serve(identity=identity).host
    with pytest.raises(RegistryRefused) as caught:
        client(host, Access(patience=1)).manifest("none")
    assert "HTTPS server" in caught.value.evidence()


def test_the_proxy_that_the_environment_names(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"ann:pass@127.0.0.1:{proxy.port}")
    there = client("registry.test:5000", Access(insecure=("registry.test:5000",), patience=1))
    assert there.find_manifest("none") is None
    assert proxy.log[0].headers["host"] == "registry.test:5000"
    assert proxy.log[0].headers["proxy-authorization"] == "Basic YW5uOnBhc3M="


def test_tls_through_a_proxy(
    serve: Serve, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(identity=identity)
    with Proxy(("127.0.0.1", server.port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        access = Access(certificates=identity.authority, patience=1)
        # The proxy takes every name there; the certificate is for this machine's only.
        with pytest.raises(RegistryUntrusted):
            client("registry.test", access).find_manifest("none")
        assert [each.method for each in proxy.log] == ["CONNECT"]


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy(
    server: RegistryProcess, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    assert client(server.host, Access(patience=1)).find_manifest("none") is None
    monkeypatch.setenv(name, "registry.invalid")
    there = client("registry.invalid:1", Access(insecure=("registry.invalid:1",), patience=0.1))
    with pytest.raises(RegistryUnreachable):
        there.find_manifest("none")
    assert not proxy.log


def test_nobody_is_there() -> None:
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(RegistryUnreachable) as caught:
        client(host, Access(patience=0.3)).find_manifest("none")
    assert "Connection refused" in caught.value.evidence()
    assert "object at" not in caught.value.evidence()


def test_no_such_host() -> None:
    with pytest.raises(RegistryUnreachable):
        client("registry.invalid", Access(patience=0.3)).find_manifest("none")


def test_something_else_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        with Proxy(listener.getsockname()) as proxy:
            proxy.on("*", "", Answer(200, body=b"<html>"), times=99)
            there = Client(Repository(host=f"127.0.0.1:{proxy.port}", path="x"), Access())
            with pytest.raises(AnswerUnreadable):
                list(there.tags())
    assert host


def test_silence_is_not_waited_for(proxy: Proxy) -> None:
    proxy.on("GET", "", BlackHole())
    transport = Transport(Access())
    with pytest.raises(Interrupted):
        transport.ask("GET", f"http://127.0.0.1:{proxy.port}/v2/", {}, read=0.2)


def test_an_answer_without_end(proxy: Proxy) -> None:
    proxy.on("GET", "", Answer(200, body=b" " * (1 << 25)), times=9)
    there = client(f"127.0.0.1:{proxy.port}", Access(patience=0.3))
    with pytest.raises(AnswerUnreadable):
        there.manifest("latest")


def test_an_answer_that_is_cut(proxy: Proxy) -> None:
    proxy.on("GET", "", CutAnswer(), times=99)
    there = client(f"127.0.0.1:{proxy.port}", Access(patience=0.3))
    with pytest.raises(PullInterrupted):
        there.manifest("latest")
