"""The real node: containerd with runc, the kubelet, and a bridge for its pods."""

from __future__ import annotations

import ipaddress
import json

from tests.stack.programs import program
from tests.stack.server import Server
from tests.stack.site import NODE, Site

_CONTAINERD = """\
version = 2
root = "{data}/root"
state = "{data}/state"
oom_score = 0
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{registry}/pause:1"
# This machine's root may lack CAP_SYS_RESOURCE, and then a negative score kills every sandbox.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
stream_server_port = "{stream}"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{runc}"
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{data}/cni"
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."{registry}"]
endpoint = ["http://{registry}"]
"""


def containerd(site: Site) -> Server:
    data = site.data("containerd")
    configuration = data / "config.toml"
    return Server(
        "containerd",
        (str(program("containerd")), f"--config={configuration}"),
        health=f"unix://{site.containerd_socket}",
        files={
            configuration: _CONTAINERD.format(
                data=data,
                socket=site.containerd_socket,
                registry=site.registry,
                stream=site.ports["containerd-stream"],
                runc=program("runc"),
            ),
            data / "cni" / "10-bridge.conflist": json.dumps(_network(site)),
        },
    )


def pod_range(site: Site) -> tuple[str, str]:
    """First and last address for pods: the lower half; containers of dockerd get the upper."""
    lower, _ = ipaddress.ip_network(site.subnet).subnets()
    return str(lower[2]), str(lower[-1])


def _network(site: Site) -> dict[str, object]:
    """CNI 1.0.0: the bridge is the gateway, and nothing is masqueraded to the outside."""
    first, last = pod_range(site)
    addresses = {"subnet": site.subnet, "rangeStart": first, "rangeEnd": last}
    return {
        "cniVersion": "1.0.0",
        "name": "sendoff-stack",
        "plugins": [
            {
                "type": "bridge",
                "bridge": site.bridge,
                "isGateway": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(site.data("containerd") / "addresses"),
                    "ranges": [[{**addresses, "gateway": site.gateway}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


def kubelet(site: Site) -> Server:
    data = site.data("kubelet")
    configuration = data / "config.json"
    return Server(
        "kubelet",
        (
            str(program("kubelet")),
            f"--config={configuration}",
            f"--kubeconfig={site.kubeconfig('system:node:localhost')}",
            # Logs then come over loopback, whatever this machine is called.
            f"--hostname-override={NODE}",
            f"--node-ip={site.gateway}",
            f"--root-dir={data}",
            f"--cert-dir={data / 'pki'}",
        ),
        health=f"http://{site.local('kubelet-health')}/healthz",
        files={configuration: json.dumps(_kubelet(site), indent=1)},
    )


def _kubelet(site: Site) -> dict[str, object]:
    """KubeletConfiguration, kubelet.config.k8s.io/v1beta1."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": site.ports["kubelet"],
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": site.ports["kubelet-health"],
        # It listens on loopback alone.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{site.containerd_socket}",
        "podLogsDir": str(site.data("kubelet") / "pod-logs"),
        "volumePluginDir": str(site.data("kubelet") / "volume-plugins"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{site.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        # A volume over its limit is noticed in seconds, not after a minute.
        "volumeStatsAggPeriod": "5s",
        "oomScoreAdj": 0,
        "nodeLeaseDurationSeconds": 20,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        # The disk is shared with whatever else this machine does.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi"},
        "imageGCHighThresholdPercent": 100,
    }
