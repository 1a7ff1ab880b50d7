"""Kubeconfigs, read as the official client reads them, in a tenth of its time."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from dispatcher.kubernetes import cluster_choice
from dispatcher.kubernetes.connection import Connection
from dispatcher.kubernetes.errors import ClusterNotConfigured
from dispatcher.kubernetes.settings import ClusterSettings

CA, CERT, KEY = b"-ca-", b"-cert-", b"-key-"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


USERS = {
    "token": {"token": "abc"},
    "token-file": {"tokenFile": "token"},
    "certificate": {"client-certificate-data": encoded(CERT), "client-key-data": encoded(KEY)},
    "certificate-file": {"client-certificate": "cert.pem", "client-key": "key.pem"},
    "basic": {"username": "alice", "password": "wonder:land"},
    "nobody": {},
}
CLUSTERS = {
    "data": {"server": "https://a:6443/", "certificate-authority-data": encoded(CA)},
    "file": {"server": "https://b", "certificate-authority": "ca.pem", "tls-server-name": "c"},
    "insecure": {"server": "https://d", "insecure-skip-tls-verify": True},
    "plain": {"server": "http://e:8080", "proxy-url": "http://proxy:3128"},
}


def write(path: Path, current: str = "", users: dict = USERS, clusters: dict = CLUSTERS) -> Path:
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {"token": b"def", "ca.pem": CA, "cert.pem": CERT, "key.pem": KEY}.items():
        (folder / name).write_bytes(data)
    contexts = {
        f"{user}-{cluster}": {"user": user, "cluster": cluster, "namespace": "lab"}
        for user in users
        for cluster in clusters
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "clusters": [{"name": name, "cluster": each} for name, each in clusters.items()],
        "contexts": [{"name": name, "context": each} for name, each in contexts.items()],
    }
    path.write_text(json.dumps(document))
    return path


def load(path: Path, context: str = "", **environ: str) -> Connection:
    return cluster_choice.load(ClusterSettings(kubeconfig=str(path), context=context), environ)


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("user", USERS)
def test_it_says_what_the_official_client_reads_in_it(tmp_path, user, cluster):
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config

    path = write(tmp_path / "config")
    theirs = Configuration()
    load_kube_config(str(path), f"{user}-{cluster}", client_configuration=theirs)
    ours = load(path, f"{user}-{cluster}")

    def content(name: str | None) -> bytes:
        return Path(name).read_bytes() if name else b""

    assert ours.host == theirs.host
    assert ours.authorization == theirs.api_key.get("BearerToken", "")
    assert ours.verify == theirs.verify_ssl
    assert ours.server_name == (theirs.tls_server_name or "")
    assert ours.proxy == (theirs.proxy or "")
    if ours.host.startswith("https"):
        assert ours.ca == content(theirs.ssl_ca_cert)
        assert (ours.certificate, ours.key) == (content(theirs.cert_file), content(theirs.key_file))
    assert ours.namespace == "lab"


def test_files_are_merged_and_the_first_one_counts(tmp_path):
    one = write(tmp_path / "1" / "config", users={"token": {"token": "one"}})
    two = write(tmp_path / "2" / "config", "token-data", {"token": {"token": "two"}, "x": {}})
    found = cluster_choice.load(ClusterSettings(), {"KUBECONFIG": f"{one}:{tmp_path}/none:{two}"})
    assert found.authorization == "Bearer one"
    assert (
        cluster_choice.load(ClusterSettings(context="x-file"), {"KUBECONFIG": f"{one}:{two}"}).ca
        == CA
    )


def test_the_home_is_looked_into(tmp_path):
    write(tmp_path / ".kube" / "config", "token-data")
    assert (
        cluster_choice.load(ClusterSettings(), {"HOME": str(tmp_path)}).authorization
        == "Bearer abc"
    )


def test_a_plugin_gives_the_token_and_its_failure_is_said(tmp_path):
    plugin = tmp_path / "plugin"
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "fresh"},
    }
    plugin.write_text(f"#!/bin/sh\ntest $WANTED = yes || {{ echo no login >&2; exit 3; }}\n"
                      f"echo '{json.dumps(answer)}'\n")  # fmt: skip
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    table = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "env": [{"name": "WANTED", "value": "yes"}],
        "interactiveMode": "Never",
    }
    path = write(tmp_path / "config", users={"u": {"exec": table}})
    assert load(path, "u-data").authorization == "Bearer fresh"
    table["env"] = [{"name": "WANTED", "value": "no"}]
    path = write(tmp_path / "config", users={"u": {"exec": table}})
    with pytest.raises(ClusterNotConfigured, match=r"plugin .* failed") as caught:
        load(path, "u-data")
    assert "no login" in caught.value.evidence()


def test_a_pod_uses_its_service_account(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_choice, "_ACCOUNT", tmp_path)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ClusterNotConfigured, match="service account"):
        cluster_choice.load(ClusterSettings(), {"HOME": str(tmp_path), **environ})
    for name, text in {"token": "t\n", "namespace": "lab", "ca.crt": "-ca-"}.items():
        (tmp_path / name).write_text(text)
    found = cluster_choice.load(ClusterSettings(), {"HOME": str(tmp_path), **environ})
    assert (found.host, found.namespace) == ("https://[fd00::1]:443", "lab")
    assert found.authorization == "Bearer t"


@pytest.mark.parametrize(
    ("content", "context", "words"),
    [
        ("", "", "empty"),
        ("a: [", "", "can't be read|cannot be read"),
        ("{}", "", "no current context"),
        ('{"current-context": "x"}', "", "no context 'x'"),
    ],
)
def test_what_can_not_be_used_is_said(tmp_path, content, context, words):
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ClusterNotConfigured, match=words):
        load(path, context)


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({"certificate-authority-data": encoded(CA)[:-1]}, {}, "certificate-authority-data is no"),
        ({"certificate-authority-data": 7}, {}, "certificate-authority-data is no"),
        ({}, {"client-key-data": "Zé=="}, "client-key-data is no"),
        ({}, {"username": "alice"}, "user alice .* no password"),
    ],
)
def test_a_damaged_field_is_named_with_its_file(tmp_path, cluster, user, words):
    server = {"server": "https://a"}
    path = write(tmp_path / "config", users={"u": user}, clusters={"c": server | cluster})
    with pytest.raises(ClusterNotConfigured, match=words) as caught:
        load(path, "u-c")
    assert str(path) in caught.value.evidence()


def test_a_mistyped_context_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ClusterNotConfigured) as caught:
        load(write(tmp_path / "config"), "tokens-data")
    assert "token-data" in caught.value.evidence()


def test_nothing_at_all_is_said(tmp_path):
    with pytest.raises(ClusterNotConfigured, match="no cluster"):
        cluster_choice.load(ClusterSettings(), {"HOME": str(tmp_path)})
    with pytest.raises(ClusterNotConfigured, match="does not exist"):
        cluster_choice.load(ClusterSettings(kubeconfig=str(tmp_path / "x")), {})
    with pytest.raises(ClusterNotConfigured, match="KUBECONFIG"):
        cluster_choice.load(ClusterSettings(), {"KUBECONFIG": str(tmp_path / "x")})
