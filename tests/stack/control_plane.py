"""The control plane: etcd, API server, controller manager, scheduler, and kwok's fake nodes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stack.programs import program
from tests.stack.server import Server
from tests.stack.site import USERS, Site

# Every request that a person or a test makes, so that a test can count what was sent.
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": ["admin", "researcher"]}, {"level": "None"}],
}
# How a fake node or pod behaves; what the end of a pod depends on is said there.
_STAGES = Path(__file__).with_name("kwok_stages.yaml")
# The default of 20 requests a second would make 10,000 pods a matter of ten minutes.
_RATE = ("--kube-api-qps=500", "--kube-api-burst=1000")


def etcd(site: Site) -> Server:
    client, peer = f"http://{site.local('etcd')}", f"http://{site.local('etcd-peer')}"
    return Server(
        "etcd",
        (
            str(program("etcd")),
            f"--data-dir={site.data('etcd')}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ),
        health=f"{client}/health",
    )


def api_server(site: Site) -> Server:
    tokens = site.data("apiserver") / "tokens.csv"
    policy = site.data("apiserver") / "audit.json"
    rows = [f'{site.tokens[user]},{user},{user},"{group}"\n' for user, group in USERS.items()]
    return Server(
        "apiserver",
        (
            str(program("kube-apiserver")),
            f"--etcd-servers=http://{site.local('etcd')}",
            "--bind-address=127.0.0.1",
            f"--secure-port={site.ports['apiserver']}",
            f"--advertise-address={site.gateway}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/24",
            f"--tls-cert-file={site.certificate('apiserver')}",
            f"--tls-private-key-file={site.key('apiserver')}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={site.key('service-account')}",
            f"--service-account-signing-key-file={site.key('service-account')}",
            "--kubelet-preferred-address-types=Hostname",
            # A lost node gives its pods up in seconds, not in five minutes.
            "--default-not-ready-toleration-seconds=10",
            "--default-unreachable-toleration-seconds=10",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={site.audit_log}",
        ),
        health=f"https://{site.local('apiserver')}/readyz",
        files={tokens: "".join(rows), policy: json.dumps(_AUDIT)},
    )


def controller_manager(site: Site) -> Server:
    name = "controller-manager"
    return Server(
        name,
        (
            str(program("kube-controller-manager")),
            f"--kubeconfig={site.kubeconfig('system:kube-controller-manager')}",
            "--leader-elect=false",
            "--controllers=*,-nodeipam",
            f"--service-account-private-key-file={site.key('service-account')}",
            f"--root-ca-file={site.ca}",
            "--bind-address=127.0.0.1",
            f"--secure-port={site.ports[name]}",
            f"--cert-dir={site.data(name)}",
            "--node-monitor-grace-period=24s",
            "--node-monitor-period=2s",
            *_RATE,
        ),
        health=f"https://{site.local(name)}/healthz",
    )


def scheduler(site: Site) -> Server:
    return Server(
        "scheduler",
        (
            str(program("kube-scheduler")),
            f"--kubeconfig={site.kubeconfig('system:kube-scheduler')}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={site.ports['scheduler']}",
            f"--cert-dir={site.data('scheduler')}",
            *_RATE,
        ),
        health=f"https://{site.local('scheduler')}/healthz",
    )


def kwok(site: Site) -> Server:
    stages = site.data("kwok") / "stages.yaml"
    return Server(
        "kwok",
        (
            str(program("kwok")),
            f"--kubeconfig={site.kubeconfig('kwok')}",
            f"--config={stages}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=20",
            f"--node-ip={site.gateway}",
            "--cidr=10.232.0.0/16",
            f"--server-address={site.local('kwok')}",
        ),
        health=f"http://{site.local('kwok')}/healthz",
        files={stages: _STAGES.read_text()},
    )
