"""An image that was pushed, taken up by everything that runs or reads images.

Its numpy layer is a gzip member for each file, spliced from the wheel (RFC 1952, 2.2).
"""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from packer.image_paths import PREFIX
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site
from tests.stack.programs import program

CHECK = """\
import os, pathlib, numpy
solved = numpy.linalg.solve(numpy.eye(3) * 2, numpy.arange(3.0))
print(numpy.__version__, solved.tolist(), pathlib.Path('main.py').exists())
"""
SAID = "[0.0, 0.5, 1.0] True"
_PIECE = 1 << 16


class Pushed(NamedTuple):
    """An image in the registry, and the desk it comes from."""

    desk: Desk
    digest: str
    sandbox: Path

    @property
    def reference(self) -> str:
        return f"{self.desk.site.registry}@{self.digest}"


@pytest.fixture(scope="module")
def pushed(site: Site, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    sandbox = sandboxes.with_packages(Path(__file__).with_name("numpy.txt"))
    desk = Desk(tmp_path_factory.mktemp("images"), site, environment(sandbox, cache))
    desk.write("main.py", CHECK)
    digest = desk.done("pack", "--", "python", "main.py").strip()
    yield Pushed(desk, digest, sandbox)
    desk.clear()


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_docker_runs_it(pushed: Pushed, site: Site) -> None:
    docker = [str(program("docker")), "--host", site.stack.known["docker"]["host"]]
    try:
        assert SAID in run(*docker, "run", "--rm", "--network", "none", pushed.reference)
    finally:
        run(*docker, "image", "rm", "--force", pushed.reference)


def test_the_kubelet_runs_it(pushed: Pushed, site: Site) -> None:
    run = pushed.desk.sent("run", "--", "python", "main.py")
    pushed.desk.done("wait", run)
    assert SAID in pushed.desk.done("logs", run)
    (pod,) = site.of_run("pods", run)
    (status,) = pod["status"]["containerStatuses"]
    assert status["imageID"] == pushed.reference
    agents = {
        each.agent.partition("/")[0] for each in site.asked_of_registry() if each.status == 200
    }
    assert {"sendoff", "containerd"} <= agents


def test_containerd_unpacks_it_anew(pushed: Pushed, site: Site) -> None:
    """In a namespace of its own, where no snapshot of an earlier pull can stand in."""
    name = pushed.desk.site.repository.partition("/")[0]
    socket = site.stack.known["containerd"]["socket"]
    ctr = [str(program("ctr")), "--address", socket, "--namespace", name]
    try:
        run(*ctr, "images", "pull", "--plain-http", pushed.reference)
        mounted = pushed.desk.home / "mounted"
        mounted.mkdir()
        run(*ctr, "images", "mount", pushed.reference, str(mounted))
        try:
            _holds_numpy(mounted, pushed.sandbox)
        finally:
            run(*ctr, "images", "unmount", "--rm", str(mounted))
    finally:
        run(*ctr, "images", "rm", "--sync", pushed.reference)
        run(*ctr, "namespaces", "rm", name)


def test_buildkit_builds_from_it(pushed: Pushed, site: Site, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {pushed.reference}\nRUN python main.py\n")
    address = site.stack.known["buildkitd"]["address"]
    build = [str(program("buildctl")), "--addr", address, "build", "--progress", "plain"]
    build += ["--frontend", "dockerfile.v0", "--no-cache"]
    build += ["--local", f"context={tmp_path}", "--local", f"dockerfile={tmp_path}"]
    assert SAID in run(*build)


def test_skopeo_and_umoci_read_it(pushed: Pushed, tmp_path: Path) -> None:
    source = f"docker://{pushed.reference}"
    skopeo = str(program("skopeo"))
    found = json.loads(run(skopeo, "inspect", "--tls-verify=false", source))
    assert found["Digest"] == pushed.digest
    run(skopeo, "copy", "-q", "--src-tls-verify=false", source, f"oci:{tmp_path}/copy:it")
    run(program("umoci"), "unpack", "--image", f"{tmp_path}/copy:it", str(tmp_path / "bundle"))
    _holds_numpy(tmp_path / "bundle" / "rootfs", pushed.sandbox)
    blobs = tmp_path / "copy" / "blobs" / "sha256"
    layers = [each.removeprefix("sha256:") for each in found["Layers"]]
    assert max(_members(blobs / each) for each in layers) > 500


def _holds_numpy(root: Path, sandbox: Path) -> None:
    """Compare numpy's own files with those that are installed."""
    (installed,) = (sandbox / "lib").glob("python3*/site-packages")
    unpacked = root / PREFIX[1:] / installed.relative_to(sandbox)
    files = [each for each in (installed / "numpy").rglob("*") if each.suffix in (".py", ".so")]
    assert len(files) > 300
    for path in files:
        assert (unpacked / path.relative_to(installed)).read_bytes() == path.read_bytes()


def _members(path: Path) -> int:
    """How many gzip members a layer is made of."""
    data, at, count = memoryview(path.read_bytes()), 0, 0
    while at < len(data):
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            member.decompress(data[at : at + _PIECE])
            at = min(at + _PIECE, len(data)) - len(member.unused_data)
        count += 1
    return count
