"""The verbs, against a real registry and through what fails."""

from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images.descriptor import MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.layers.layer import MEDIA_TYPE
from packer.registry.access import Access
from packer.registry.client import BlobUnknown, Client, Manifest
from packer.registry.errors import (
    AnswerAltered,
    DigestGone,
    PullInterrupted,
    RedirectRefused,
    RegistryAuth,
)
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.faults import Alter, Answer, CutAnswer, LoseAnswer, Stall
from tests.faults.proxy import Proxy
from tests.registries.images import make_image, make_layer
from tests.registries.process import RegistryProcess


@pytest.fixture
def image(layout: Layout, registry: Registry) -> Digest:
    """An image in the repository, with the tag `one`."""
    digest = make_image(layout, make_layer(layout, 2_000_000))
    registry.push(PushRequest(layout=layout.root, images=(digest,), tags={"one": digest}))
    return digest


@pytest.fixture
def blob(layout: Layout, image: Digest) -> Descriptor:
    """The image's only layer."""
    layer = json.loads(layout.read(image))["layers"][0]
    return Descriptor(digest=Digest(layer["digest"]), size=layer["size"], media_type=MEDIA_TYPE)


def test_manifests(client: Client, image: Digest, layout: Layout) -> None:
    assert client.find_manifest("one") == image
    assert client.find_manifest(image) == image
    assert client.find_manifest("two") is None
    for target in ("one", image):
        assert client.manifest(target) == Manifest(image, MANIFEST, layout.read(image))


@pytest.mark.usefixtures("image")
def test_a_manifest_that_is_not_there(client: Client) -> None:
    with pytest.raises(DigestGone) as caught:
        client.manifest(Digest.of(b"nothing"))
    assert "MANIFEST_UNKNOWN" in caught.value.evidence()


def test_a_manifest_that_was_altered(client: Client, image: Digest, proxy: Proxy) -> None:
    proxy.on("GET", "manifests", Alter(at=50))
    with pytest.raises(AnswerAltered):
        client.manifest(image)


def test_a_manifest_that_was_cut(
    client: Client, image: Digest, proxy: Proxy, layout: Layout
) -> None:
    proxy.on("GET", "manifests", CutAnswer(after=100))
    assert client.manifest(image).data == layout.read(image)
    assert len(proxy.seen("GET", "manifests")) == 2


def test_a_registry_that_does_not_name_the_digest(
    client: Client, image: Digest, layout: Layout, proxy: Proxy
) -> None:
    data = layout.read(image)
    proxy.on("HEAD", "manifests", Answer(200, {"Content-Length": str(len(data))}))
    assert client.find_manifest("one") == image


def test_a_manifest_without_its_blobs(client: Client, layout: Layout) -> None:
    digest = make_image(layout)
    with pytest.raises(BlobUnknown):
        client.put_manifest(digest, Manifest(digest, MANIFEST, layout.read(digest)))


def test_a_lost_answer_to_a_manifest(
    client: Client, image: Digest, layout: Layout, proxy: Proxy
) -> None:
    proxy.on("PUT", "manifests", LoseAnswer())
    client.put_manifest("two", Manifest(image, MANIFEST, layout.read(image)))
    assert client.find_manifest("two") == image


def test_blobs(client: Client, blob: Descriptor, layout: Layout) -> None:
    assert client.has_blob(blob.digest)
    assert not client.has_blob(Digest.of(b"nothing"))
    assert b"".join(client.blob(blob)) == layout.read(blob.digest)
    assert b"".join(client.span(blob, 10, 20)) == layout.read(blob.digest)[10:20]


def test_reading_goes_on_where_it_was_cut(
    client: Client, blob: Descriptor, layout: Layout, proxy: Proxy
) -> None:
    proxy.on("GET", "blobs", CutAnswer(after=700_000))
    proxy.on("GET", "blobs", Answer(503, {"Retry-After": "0"}))
    proxy.on("GET", "blobs", CutAnswer(after=900_000))
    assert b"".join(client.blob(blob)) == layout.read(blob.digest)
    asked = [each.headers.get("range") for each in proxy.seen("GET", "blobs")]
    assert asked[0] is None
    assert asked[1] == asked[2]
    starts = [int(each.removeprefix("bytes=").partition("-")[0]) for each in asked[1:] if each]
    assert starts == sorted(starts)
    assert 0 < starts[0] <= 700_000 < starts[2] <= 1_600_000


def test_reading_where_ranges_are_not_known(
    client: Client, blob: Descriptor, layout: Layout, proxy: Proxy
) -> None:
    data = layout.read(blob.digest)
    proxy.on("GET", "blobs", CutAnswer(after=700_000))
    proxy.on("GET", "blobs", Answer(200, {}, data))
    assert b"".join(client.blob(blob)) == data


def test_reading_where_the_whole_is_cut_before_what_is_new(
    client: Client, blob: Descriptor, layout: Layout, proxy: Proxy
) -> None:
    data = layout.read(blob.digest)
    proxy.on("GET", "blobs", CutAnswer(after=700_000))
    proxy.on(
        "GET", "blobs", Answer(200, {"Content-Length": str(len(data))}, data[:300_000], cut=True)
    )
    assert b"".join(client.blob(blob)) == data
    assert [each.status for each in proxy.seen("GET", "blobs")] == [200, 200, 206]


@pytest.mark.parametrize("body", [b"", b"<html>"])
def test_reading_where_a_refusal_is_cut(
    client: Client, blob: Descriptor, proxy: Proxy, body: bytes
) -> None:
    proxy.on("GET", "blobs", Answer(503, {"Content-Length": "2000"}, body, cut=True))
    assert len(b"".join(client.blob(blob))) == blob.size
    assert [each.status for each in proxy.seen("GET", "blobs")] == [503, 200]


def test_reading_that_never_ends(client: Client, blob: Descriptor, proxy: Proxy) -> None:
    client.patience.seconds = 0.3
    proxy.on("GET", "blobs", CutAnswer(after=0), times=10**6)
    with pytest.raises(PullInterrupted) as caught:
        list(Client(client.repository, Access(patience=0.3)).blob(blob))
    assert blob.digest.short in caught.value.why()


def test_a_blob_that_was_altered(client: Client, blob: Descriptor, proxy: Proxy) -> None:
    proxy.on("GET", "blobs", Alter(at=1_000_000))
    with pytest.raises(AnswerAltered):
        list(client.blob(blob))


@pytest.mark.usefixtures("image")
def test_a_blob_that_is_not_there(client: Client) -> None:
    missing = Descriptor(digest=Digest.of(b"x"), size=9, media_type=MEDIA_TYPE)
    with pytest.raises(DigestGone):
        list(client.blob(missing))


def test_a_half_read_blob_leaves_no_connection_open(client: Client, blob: Descriptor) -> None:
    reading = client.blob(blob)
    next(reading)
    reading.close()
    assert client.has_blob(blob.digest)


@pytest.mark.usefixtures("image")
def test_tags(client: Client, proxy: Proxy) -> None:
    assert list(client.tags()) == ["one"]
    manifest = client.manifest("one")
    for name in ("a", "b"):
        client.put_manifest(name, manifest)
    assert sorted(client.tags()) == ["a", "b", "one"]
    link = f'<{client.at("tags/list", n="2", last="b")}>; rel="next"'
    page = b'{"name": "x", "tags": ["first"]}'
    proxy.on("GET", "tags/list", Answer(200, {"Link": link}, page))
    first, *rest = client.tags()
    assert first == "first"
    assert set(rest) <= {"a", "b", "one"}
    assert proxy.log[-1].target.endswith("?n=2&last=b")


def test_tags_of_nothing(server: RegistryProcess, access: Access) -> None:
    assert not list(Client(Repository(host=server.host, path="nobody/ever"), access).tags())


class TestRedirects:
    """Registries send readers to where blobs lie; a login never goes along."""

    @pytest.fixture
    def elsewhere(self, server: RegistryProcess):
        with Proxy(("127.0.0.1", server.port)) as other:
            yield other

    @pytest.fixture
    def send_there(self, proxy: Proxy, elsewhere: Proxy):
        def send_there(method: str, pattern: str, target: str, status: int = 307) -> None:
            location = f"http://127.0.0.1:{elsewhere.port}{target}"
            proxy.on(method, pattern, Answer(status, {"Location": location}))

        return send_there

    @pytest.fixture(autouse=True)
    def logged_in(self, monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> None:
        monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", "ann")
        monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", "pass")
        proxy.on("*", "", Answer(401, {"WWW-Authenticate": "Basic"}))

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_reading(  # noqa: PLR0917 - what a redirect takes
        self, client: Client, blob: Descriptor, send_there, elsewhere: Proxy, proxy: Proxy, status
    ) -> None:
        send_there("GET", "blobs", client.at(f"blobs/{blob.digest}"), status)
        assert len(b"".join(client.blob(blob))) == blob.size
        assert "authorization" in proxy.log[-1].headers
        assert "authorization" not in elsewhere.log[-1].headers

    def test_asking(self, client: Client, image: Digest, send_there, elsewhere: Proxy) -> None:
        send_there("HEAD", "manifests", client.at(f"manifests/{image}"))
        assert client.find_manifest("one") == image
        assert "authorization" not in elsewhere.log[-1].headers

    @pytest.mark.usefixtures("image")
    def test_writing(self, client: Client, send_there, elsewhere: Proxy) -> None:
        manifest = client.manifest("one")
        send_there("PUT", "manifests", client.at("manifests/two"))
        with pytest.raises(RedirectRefused):
            client.put_manifest("two", manifest)
        assert not elsewhere.log

    def test_where_a_login_is_wanted(
        self, client: Client, blob: Descriptor, send_there, elsewhere: Proxy
    ) -> None:
        elsewhere.on("*", "", Answer(401, {"WWW-Authenticate": "Basic"}), times=9)
        send_there("GET", "blobs", client.at(f"blobs/{blob.digest}"))
        with pytest.raises(RedirectRefused) as caught:
            list(client.blob(blob))
        assert "yours is not for it" in caught.value.why()
        assert len(elsewhere.log) == 1

    @pytest.mark.usefixtures("image")
    def test_in_circles(self, client: Client, proxy: Proxy) -> None:
        location = {"Location": client.at("manifests/one")}
        proxy.on("GET", "manifests", Answer(307, location), times=99)
        with pytest.raises(RedirectRefused):
            client.manifest("one")
        assert len(proxy.seen("GET", "manifests")) < 10

    def test_within_the_registry(
        self, client: Client, image: Digest, proxy: Proxy, layout: Layout
    ) -> None:
        proxy.on("PUT", "manifests", Answer(308, {"Location": client.at("manifests/three")}))
        client.put_manifest("two", Manifest(image, MANIFEST, layout.read(image)))
        assert client.find_manifest("three") == image


def test_silence_while_reading(client: Client, blob: Descriptor, proxy: Proxy, monkeypatch) -> None:
    monkeypatch.setattr("packer.registry.transport.READ", 0.3)
    proxy.on("GET", "blobs", Stall(after=500_000))
    assert len(b"".join(client.blob(blob))) == blob.size
    assert len(proxy.seen("GET", "blobs")) == 2


def test_a_login_that_is_refused_names_no_secret(
    client: Client, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", "ann")
    monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", "hunter2")
    proxy.on("*", "", Answer(401, {"WWW-Authenticate": "Basic"}), times=9)
    with pytest.raises(RegistryAuth) as caught:
        client.find_manifest("one")
    assert "hunter2" not in json.dumps(caught.value.as_dict())
