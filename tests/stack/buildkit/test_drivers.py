"""The ways to a BuildKit that are not a socket of this machine: TCP, and a cluster."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from packer.buildkit import address
from packer.buildkit.build import Build, Output
from packer.buildkit.builder import Builder
from packer.buildkit.errors import BuilderUnreachable
from tests.buildkit import docker_cli
from tests.stack.ports import free_ports
from tests.stack.processes import until
from tests.stack.programs import program
from tests.stack.stack import Stack

# The cluster lets nobody have a privileged pod, so the daemon is root in a namespace of its own.
IMAGE = """\
FROM {base}
USER 0
RUN apt-get update && apt-get install --yes --no-install-recommends runc
COPY buildkitd buildctl /usr/local/bin/
ENTRYPOINT ["unshare", "--user", "--map-root-user", "--mount", "buildkitd", \
"--oci-worker-snapshotter=native"]
"""


def builds(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "file").write_text("content")
    build = Build(
        dockerfile="FROM scratch\nCOPY file /\n",
        context=tmp_path / "context",
        output=Output.files(tmp_path / "out"),
    )
    builder.build(build)
    assert (tmp_path / "out" / "file").read_text() == "content"
    assert builder.check()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def image(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """BuildKit as an image in the stack's registry."""
    root = tmp_path_factory.mktemp("image")
    name = f"{stack.known['registry']['address']}/builders/buildkit:1"
    (root / "context").mkdir()
    for each in ("buildkitd", "buildctl"):
        shutil.copy(program(each), root / "context")
    with pytest.MonkeyPatch.context() as patch:
        docker_cli(root / "cli", patch)
        builder = Builder(address.parse(stack.known["buildkitd"]["address"]), root / "cache")
        text = IMAGE.format(base=stack.known["images"]["base"])
        builder.build(
            Build(
                dockerfile=text,
                context=root / "context",
                output=Output.pushed(name, compression="zstd"),
            )
        )
        yield name


@pytest.fixture
def namespace(stack: Stack) -> Iterator[str]:
    name = f"builders-{os.urandom(4).hex()}"
    stack.kubectl("create", "namespace", name)
    yield name
    stack.kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.usefixtures("cli")
def test_in_a_cluster(stack: Stack, image: str, namespace: str, tmp_path: Path) -> None:
    kubeconfig = stack.known["kubeconfig"]["admin"]
    text = f"kubernetes://{namespace}?image={image}&rootless=true&kubeconfig={kubeconfig}"
    builds(Builder(address.parse(text), tmp_path / "cache"), tmp_path)
    assert "sendoff-" in stack.kubectl("-n", namespace, "get", "deployments", "-o", "name")


@pytest.mark.usefixtures("cli")
def test_what_a_cluster_forbids_is_told(
    stack: Stack, image: str, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = stack.known["kubeconfig"]["admin"]
    text = f"kubernetes://{namespace}?image={image}&kubeconfig={kubeconfig}"
    with pytest.raises(BuilderUnreachable) as refused:
        Builder(address.parse(text), tmp_path / "cache").build(Build(dockerfile="FROM scratch\n"))
    assert "privileged" in refused.value.why()


@pytest.mark.usefixtures("cli")
def test_over_tcp(tmp_path: Path) -> None:
    port = free_ports(["buildkitd"])["buildkitd"]
    place = f"tcp://127.0.0.1:{port}"
    settings = tmp_path / "buildkitd.toml"
    settings.write_text(
        f'root = "{tmp_path}/root"\n[grpc]\naddress = ["{place}"]\n'
        "[worker.containerd]\nenabled = false\n"
        f'[worker.oci]\nenabled = true\nsnapshotter = "native"\nbinary = "{program("runc")}"\n'
    )
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [program("buildkitd"), f"--config={settings}"], stdout=log, stderr=log
        )
    try:
        assert until(lambda: daemon.poll() is not None or accepts(port), 30)
        builds(Builder(address.parse(place), tmp_path / "cache"), tmp_path)
    finally:
        daemon.terminate()
        daemon.wait()
