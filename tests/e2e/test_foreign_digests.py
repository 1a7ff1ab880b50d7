"""Digests in a real registry that are no run images of ours, and a registry that has gone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from packer.digest import Digest
from packer.images import image
from packer.images.descriptor import CONFIG, INDEX, MANIFEST
from packer.images.image import Image
from packer.images.layout import Layout
from tests.e2e import sandboxes
from tests.e2e.test_reproduce import Desk
from tests.registries.images import make_image, make_layer
from tests.registries.process import RegistryProcess, available

pytestmark = pytest.mark.skipif(not available(), reason="docker-registry is not installed")
RUN = {"lock": "sha256:" + 64 * "a", "snapshot": "sha256:" + 64 * "b", "environment": "x"}


class Place:
    """A repository, written to as any client may."""

    def __init__(self, registry: RegistryProcess, layout: Layout) -> None:
        self.name, self.layout = f"{registry.host}/team/runs", layout
        self._url = f"http://{registry.host}/v2/team/runs"

    def blob(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        place = self._send("POST", f"{self._url}/blobs/uploads/")
        self._send("PUT", f"{place}&digest={digest}", data, "application/octet-stream")
        return digest

    def manifest(self, content: bytes, kind: str = MANIFEST) -> Digest:
        digest = Digest.of(content)
        self._send("PUT", f"{self._url}/manifests/{digest}", content, kind)
        return digest

    def _send(self, method: str, url: str, data: bytes = b"", kind: str = "") -> str:
        """Where what was sent is to be found, or is to go."""
        headers = {"Content-Type": kind} if kind else {}
        asked = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 (loopback)
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 (loopback)
            return str(answer.headers["Location"])

    def image(self, digest: Digest) -> Digest:
        """One of the layout's, copied."""
        content = self.layout.read(digest)
        told = json.loads(content)
        for each in (told["config"], *told["layers"]):
            self.blob(self.layout.read(Digest(each["digest"])))
        return self.manifest(content)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with RegistryProcess(tmp_path / "registry") as registry:
        yield Place(registry, Layout(tmp_path / "layout"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, sandboxes.empty(tmp_path / "venv"))
    made.env["SENDOFF_REGISTRY_INSECURE"] = "true"
    return made


def answers(desk: Desk, place: Place, digest: str) -> list[Any]:
    """What both verbs say of it."""
    with ThreadPoolExecutor() as pool:
        return list(
            pool.map(lambda verb: desk.json(verb, f"{place.name}@{digest}"), ("show", "reproduce"))
        )


def run_image(place: Place, word: str) -> Digest:
    made = Image(
        layers=(make_layer(place.layout),),
        platform="linux/amd64",
        python="3.11.7",
        command=("echo", word),
        labels=RUN,
    )
    return place.image(image.write(made, place.layout).digest)


def test_what_others_keep_there_is_called_what_it_is(desk: Desk, place: Place) -> None:
    base = place.image(make_image(place.layout))
    other = place.blob(b'{"config": {}, "rootfs": {"type": "layers", "diff_ids": []}}')
    empty = place.blob(b"{}")

    def manifest(config: Digest, size: int, media_type: str = CONFIG, **more: Any) -> Digest:
        described = {"mediaType": media_type, "digest": config, "size": size}
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
        return place.manifest(json.dumps({**content, **more}).encode())

    foreign = manifest(other, 60)
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": foreign,
                "size": len(place.name),
                "platform": {"os": "linux", "architecture": "arm64"},
            }
        ],
    }
    chart = "application/vnd.cncf.helm.config.v1+json"
    bill = manifest(
        empty,
        2,
        artifactType="application/spdx+json",
        subject={"mediaType": MANIFEST, "digest": base, "size": 1},
    )
    said = {
        base: "a base image of sendoff",
        foreign: "an image that sendoff did not make",
        manifest(empty, 2, chart): "an artifact whose config is no image's",
        bill: "a document about an image, of the type application/spdx+json",
        place.manifest(json.dumps(index).encode(), INDEX): "for several platforms (linux/arm64)",
    }
    for digest, what in said.items():
        for answer in answers(desk, place, digest):
            assert answer["code"] == "NO_RUN_IMAGE", answer
            assert what in answer["cause"], answer
            assert digest in answer["message"]
    for answer in answers(desk, place, "sha256:" + 64 * "0"):
        assert answer["code"] == "DIGEST_GONE"
        assert place.name in answer["cause"]


def test_a_registry_that_is_gone_is_said_soon(desk: Desk, place: Place, tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "second") as registry:
        there = Place(registry, place.layout)
        digest = run_image(there, "hello")
        assert desk.json("show", f"{there.name}@{digest}")["command"] == ["echo", "hello"]
    for answer in answers(desk, there, digest):
        assert answer["code"] == "REGISTRY_UNREACHABLE", answer
        assert registry.host in answer["message"] + answer["evidence"]
        assert answer["fix"]
