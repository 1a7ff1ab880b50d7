"""Base images from a real registry."""

from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.layers.layer import MEDIA_TYPE
from packer.registry.client import Client, Manifest
from packer.registry.errors import (
    AnswerUnreadable,
    BaseUnknown,
    PlatformMissing,
    ReferenceInvalid,
    RegistryUnreachable,
)
from packer.registry.pull import for_push
from packer.registry.push_request import PushRequest
from packer.registry.registry import Registry
from tests.faults.faults import Answer, LoseAnswer
from tests.faults.proxy import Proxy
from tests.registries.images import make_image, make_layer


@pytest.fixture
def image(registry: Registry, layout: Layout) -> Digest:
    digest = make_image(layout, make_layer(layout), make_layer(layout))
    registry.push(PushRequest(layout=layout.root, images=(digest,), tags={"1": digest}))
    return digest


@pytest.fixture
def put(client: Client, layout: Layout):
    """Store a document as a manifest or index, with a tag."""

    def put(tag: str, content: dict[str, object], media_type: str = MANIFEST) -> Digest:
        data = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
        digest = layout.write(data)
        client.put_manifest(tag, Manifest(digest, media_type, data))
        return digest

    return put


def entry(digest: Digest, size: int, **platform: str) -> dict[str, object]:
    described = Descriptor(digest=digest, size=size, media_type=MANIFEST).as_oci()
    return {**described, "platform": platform}


@pytest.mark.usefixtures("image")
def test_what_a_tag_named_last_is_known_without_asking(
    registry: Registry, layout: Layout, proxy: Proxy
) -> None:
    name = f"{registry.repository}:1"
    assert registry.remembered_base(name, "linux/amd64") is None
    first = registry.base(name, "linux/amd64")
    proxy.forget()
    assert registry.remembered_base(name, "linux/amd64") == first
    assert not proxy.log
    moved = make_image(layout)
    registry.push(PushRequest(layout=layout.root, images=(moved,), tags={"1": moved}))
    assert registry.remembered_base(name, "linux/amd64") == first
    second = registry.base(name, "linux/amd64")
    assert second.digest == moved
    assert registry.remembered_base(name, "linux/amd64") == second


def test_a_base_by_its_tag(registry: Registry, image: Digest, layout: Layout) -> None:
    base = registry.base(f"{registry.repository}:1", "linux/amd64")
    content = json.loads(layout.read(image))
    config = json.loads(layout.read(Digest(content["config"]["digest"])))
    assert base.digest == image
    assert base.platform == "linux/amd64"
    assert [each.digest for each in base.layers] == [each["digest"] for each in content["layers"]]
    assert [each.diff_id for each in base.layers] == config["rootfs"]["diff_ids"]
    assert base.labels == config["config"]["Labels"]
    assert base.environment["VIRTUAL_ENV"] == "/opt/sendoff/env"
    assert [each.layer.digest for each in for_push(base)] == [one.digest for one in base.layers]


def test_a_tag_costs_one_question_the_second_time(
    registry: Registry, image: Digest, proxy: Proxy
) -> None:
    registry.base(f"{registry.repository}:1", "linux/amd64")
    proxy.forget()
    assert registry.base(f"{registry.repository}:1", "linux/amd64").digest == image
    assert [each.method for each in proxy.log] == ["HEAD"]


def test_a_digest_costs_none(registry: Registry, image: Digest, proxy: Proxy) -> None:
    name = f"{registry.repository}:moved-since@{image}"
    first = registry.base(name, "linux/amd64")
    proxy.refuse()
    assert registry.base(name, "linux/amd64") == first


def test_a_cache_that_was_damaged_is_read_anew(registry: Registry, image: Digest) -> None:
    name = f"{registry.repository}@{image}"
    first = registry.base(name, "linux/amd64")
    for path in registry._cache.glob("registry/bases/blobs/sha256/*"):
        path.write_bytes(b"{}")
    assert registry.base(name, "linux/amd64") == first


def test_the_platforms_own_image_of_an_index(
    registry: Registry, image: Digest, layout: Layout, put
) -> None:
    size = len(layout.read(image))
    entries = [
        entry(image, size, os="unknown", architecture="unknown"),
        entry(image, size, os="linux", architecture="arm64", variant="v8"),
        entry(image, size, os="linux", architecture="amd64"),
    ]
    put("all", {"manifests": entries}, INDEX)
    name = f"{registry.repository}:all"
    assert registry.base(name, "linux/amd64").digest == image
    with pytest.raises(PlatformMissing) as caught:
        registry.base(name, "linux/s390x")
    assert caught.value.evidence() == "it has linux/arm64/v8, linux/amd64"


def test_an_image_for_another_platform(registry: Registry, image: Digest) -> None:
    with pytest.raises(PlatformMissing) as caught:
        registry.base(f"{registry.repository}@{image}", "linux/arm64")
    assert caught.value.evidence() == "it has linux/amd64"


def test_layers_as_docker_called_them(
    registry: Registry, image: Digest, layout: Layout, put
) -> None:
    content = json.loads(layout.read(image))
    for layer in content["layers"]:
        layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    content.pop("mediaType")
    put("docker", content, "application/vnd.docker.distribution.manifest.v2+json")
    base = registry.base(f"{registry.repository}:docker", "linux/amd64")
    assert {each.media_type for each in base.layers} == {MEDIA_TYPE}


def test_what_is_not_there(registry: Registry, image: Digest) -> None:
    for name in (":2", f"@{Digest.of(b'x')}"):
        with pytest.raises(BaseUnknown):
            registry.base(f"{registry.repository}{name}", "linux/amd64")
    with pytest.raises(ReferenceInvalid):
        registry.base("No Name", "linux/amd64")
    assert image


def test_a_registry_that_is_not_there(registry: Registry, proxy: Proxy) -> None:
    proxy.on("HEAD", "", LoseAnswer())
    with pytest.raises(BaseUnknown):
        registry.base(f"{registry.repository}:1", "linux/amd64")
    short = Registry(registry.repository, type(registry._access)(patience=0.2), registry._cache)
    with pytest.raises(RegistryUnreachable):
        short.base("127.0.0.1:1/x:1", "linux/amd64")


@pytest.mark.parametrize(
    "manifest",
    [b"[]", b"{}", b"<html>", b'{"config": {"digest": "sha256:1"}}', b'{"config": 5}'],
)
def test_what_is_no_image(registry: Registry, proxy: Proxy, manifest: bytes) -> None:
    proxy.on("HEAD", "", Answer(200, {"Docker-Content-Digest": Digest.of(manifest)}))
    proxy.on("GET", "", Answer(200, {}, manifest))
    with pytest.raises(AnswerUnreadable):
        registry.base(f"{registry.repository}:1", "linux/amd64")


def test_layers_that_the_config_does_not_know(
    registry: Registry, image: Digest, layout: Layout, put
) -> None:
    content = json.loads(layout.read(image))
    content["layers"].append(content["layers"][0])
    content.pop("mediaType")
    put("odd", content)
    with pytest.raises(AnswerUnreadable):
        registry.base(f"{registry.repository}:odd", "linux/amd64")
