"""A project and its image on the tests' stack, for figures of runs in a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from bench import sandbox
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.places import Places
from dispatcher.request import Input
from dispatcher.run import Run, new_id
from sendoff.grid import SetUp
from sendoff.preparation import Order, prepare
from sendoff.session import Session
from tests.stack import nodes
from tests.stack.api import Refused
from tests.stack.stack import Stack

NAME = "bench"
CONFLICT = 409
MANY = {"sendoff.io/bench": "many"}
"""Labels of a simulated node with room for many pods, which run there until they are deleted."""
_CPUS, _MEMORY = 0.01, 16 << 20


class Cluster:
    """One small project, packed and pushed."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        known = stack.known
        minio = known["minio"]
        prefix = f"{minio['bucket']}/bench-{os.urandom(4).hex()}"
        self.stack, self.namespace, self.folder = stack, known["namespace"], folder
        self.variables = {
            "SENDOFF_TARGET": "kubernetes",
            "SENDOFF_REGISTRY": f"{known['registry']['address']}/bench/runs",
            "SENDOFF_BASE": known["images"]["base"],
            "SENDOFF_STORE": f"{minio['url']}/{prefix}",
            "SENDOFF_STORE_IN_CLUSTER": f"{minio['url_in_cluster']}/{prefix}",
            "SENDOFF_STORE_REGION": minio["region"],
            "SENDOFF_NAMESPACE": self.namespace,
            "SENDOFF_CPUS": "0.5",
            "SENDOFF_MEMORY": "128Mi",
            "AWS_ACCESS_KEY_ID": minio["access_key"],
            "AWS_SECRET_ACCESS_KEY": minio["secret_key"],
            "KUBECONFIG": known["kubeconfig"]["admin"],
        }
        os.environ |= sandbox.environment(folder, sandbox.venv("empty", ())) | self.variables
        self.project = sandbox.project(folder / "project", 20, 1_000)
        self.session = Session.open(self.project)

    @property
    def places(self) -> Places:
        return self.session.places

    def simulated(self, parallel: int = 100_000) -> Places:
        """The same, its pods on a simulated node, so many at once."""
        mine = msgspec.structs.replace(
            self.places.cluster or ClusterSettings(),
            node_selector=MANY,
            tolerations=(Toleration(key="kwok.x-k8s.io/node"),),
            parallel=parallel,
            cpus=_CPUS,
            memory=_MEMORY,
        )
        return msgspec.structs.replace(self.places, cluster=mine)

    def prepared(self, *command: str) -> Run:
        """The record of a run of this command, which is packed and pushed."""
        order = Order(setups=(SetUp(parameters={}, command=command),), name=NAME)
        return prepare(self.session, order)[1]

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.stack.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def remove(self, run: str) -> None:
        """End a run's Job and pods, without waiting for it."""
        self.kubectl("delete", "job", run, "--ignore-not-found", "--wait=false")


def again(run: Run, count: int = 1, **request: Any) -> Run:
    """A run like it, of so many inputs."""
    only = run.request.inputs[0]
    inputs = tuple(
        Input(command=only.command, digest=only.digest, parameters={"n": str(number)})
        for number in range(count)
    )
    asked = msgspec.structs.replace(run.request, inputs=inputs, **request)
    return msgspec.structs.replace(run, id=new_id(NAME), request=asked)


def simulate(stack: Stack) -> None:
    """Make the simulated node; its pods run until they are deleted, as its name says."""
    room = {"cpu": "100k", "memory": "400Ti", "pods": "50k"}
    node = nodes.simulated({"name": "bench-busy", "labels": MANY, "resources": room})
    try:
        stack.api.create("/api/v1/nodes", node)
    except Refused as refused:
        if refused.status != CONFLICT:
            raise
