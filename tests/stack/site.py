"""One start of the stack: its directory, ports, network and secrets, all of its own."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.stack import places
from tests.stack.ports import free_ports, free_subnet
from tests.stack.programs import program

PORTS = (
    "etcd",
    "etcd-peer",
    "apiserver",
    "controller-manager",
    "scheduler",
    "kubelet",
    "kubelet-health",
    "containerd-stream",
    "kwok",
    "registry",
    "minio",
    "minio-console",
)
# Who may speak to the API server, and the groups that decide what they may.
USERS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "system:masters",
    "system:kube-scheduler": "system:masters",
    "kwok": "system:masters",
    "system:node:localhost": "system:nodes",
    "researcher": "researchers",
}
NODE = "localhost"
NAMESPACE = "sendoff"
BUCKET = "sendoff"
REGION = "us-east-1"


@dataclass(frozen=True)
class Site:
    directory: Path
    ports: Mapping[str, int]
    subnet: str
    tokens: Mapping[str, str]
    store_secret: str

    @classmethod
    def new(cls) -> Site:
        return cls(
            directory=places.STATE / secrets.token_hex(3),
            ports=free_ports(PORTS),
            subnet=free_subnet(program("ip")),
            tokens={user: secrets.token_hex(16) for user in USERS},
            store_secret=secrets.token_hex(16),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Site:
        return cls(**{**value, "directory": Path(value["directory"])})

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "directory": str(self.directory)}

    def local(self, port: str) -> str:
        """HOST:PORT of the server that has `port`."""
        return f"127.0.0.1:{self.ports[port]}"

    @property
    def gateway(self) -> str:
        """The bridge's own address: this machine, as pods and containers see it."""
        return str(next(ipaddress.ip_network(self.subnet).hosts()))

    @property
    def bridge(self) -> str:
        """The network interface that pods and containers are on; 15 characters are allowed."""
        return f"sendoff-{self.directory.name}"

    @property
    def cgroup(self) -> str:
        """The control group below which all that pods and containers start is found again."""
        return f"sendoff-stack-{self.directory.name}"

    @property
    def registry(self) -> str:
        """The registry's name, the same for the client and for every runtime."""
        return self.local("registry")

    @property
    def ca(self) -> Path:
        return self.directory / "pki" / "ca.crt"

    def key(self, name: str) -> Path:
        return self.directory / "pki" / f"{name}.key"

    def certificate(self, name: str) -> Path:
        return self.directory / "pki" / f"{name}.crt"

    def kubeconfig(self, user: str) -> Path:
        return self.directory / "kubeconfig" / user.replace(":", "-")

    def log(self, server: str) -> Path:
        return self.directory / "logs" / f"{server}.log"

    def data(self, server: str) -> Path:
        return self.directory / server

    @property
    def audit_log(self) -> Path:
        return self.directory / "logs" / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        return self.data("containerd") / "containerd.sock"

    @property
    def docker_socket(self) -> Path:
        return self.data("dockerd") / "docker.sock"

    @property
    def buildkit_socket(self) -> Path:
        return self.data("buildkitd") / "buildkitd.sock"
