"""The other servers: registry, MinIO, BuildKit and the docker engine."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tests.stack.programs import program
from tests.stack.server import Server
from tests.stack.site import REGION, Site


def registry(site: Site) -> Server:
    """distribution; its log has a line for every request (Apache's combined format)."""
    configuration = site.data("registry") / "config.json"
    settings = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": False}},
        "storage": {
            "filesystem": {"rootdirectory": str(site.data("registry") / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": site.registry, "secret": site.store_secret},
    }
    return Server(
        "registry",
        (str(program("docker-registry")), "serve", str(configuration)),
        health=f"http://{site.registry}/v2/",
        files={configuration: json.dumps(settings, indent=1)},
    )


def minio(site: Site) -> Server:
    """It listens on loopback by itself, and where it is told: here, where pods reach it."""
    return Server(
        "minio",
        (
            str(program("minio")),
            "server",
            "--quiet",
            f"--address={site.gateway}:{site.ports['minio']}",
            f"--console-address={site.local('minio-console')}",
            str(site.data("minio")),
        ),
        health=f"http://{site.local('minio')}/minio/health/live",
        environment={
            "MINIO_ROOT_USER": "admin",
            "MINIO_ROOT_PASSWORD": site.store_secret,
            "MINIO_REGION": REGION,
            "MINIO_BROWSER": "off",
            # Nothing is asked of the world outside.
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
        },
    )


_BUILDKIT = """\
root = "{root}"
[grpc]
address = ["{address}"]
[worker.containerd]
enabled = false
[worker.oci]
enabled = true
snapshotter = "overlayfs"
binary = "{runc}"
{cgroup}[registry."{registry}"]
http = true
"""


def buildkit_configuration(root: Path, address: str, registry: str, cgroup: str = "") -> str:
    """A buildkitd's file; `cgroup` is the parent of its containers' own, where that matters."""
    parent = f'defaultCgroupParent = "{cgroup}"\n' if cgroup else ""
    return _BUILDKIT.format(
        root=root, address=address, runc=program("runc"), cgroup=parent, registry=registry
    )


def buildkitd(site: Site) -> Server:
    data = site.data("buildkitd")
    configuration = data / "buildkitd.toml"
    address = f"unix://{site.buildkit_socket}"
    text = buildkit_configuration(
        data / "root", address, site.registry, cgroup=f"{site.cgroup}/buildkit"
    )
    return Server(
        "buildkitd",
        (str(program("buildkitd")), f"--config={configuration}"),
        health=address,
        files={configuration: text},
    )


def dockerd(site: Site) -> Server:
    """An engine of its own beside the node, on the same containerd and bridge."""
    data = site.data("dockerd")
    configuration = data / "daemon.json"
    _, upper = ipaddress.ip_network(site.subnet).subnets()
    return Server(
        "dockerd",
        (
            str(program("dockerd")),
            f"--config-file={configuration}",
            f"--host=unix://{site.docker_socket}",
            f"--containerd={site.containerd_socket}",
            f"--data-root={data / 'root'}",
            f"--exec-root={data / 'exec'}",
            f"--pidfile={data / 'dockerd.pid'}",
            f"--bridge={site.bridge}",
            f"--fixed-cidr={upper}",
            f"--cgroup-parent=/{site.cgroup}/docker",
            # This machine's packet filter stays as it is.
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--userland-proxy=false",
            "--oom-score-adjust=0",
        ),
        health=f"docker://{site.docker_socket}",
        files={configuration: "{}"},
        leftovers=(data / "dockerd.pid",),
    )
