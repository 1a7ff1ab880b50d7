"""What a digest names, and what is said where it names something else."""

from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images import image
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.images.image import Image
from packer.images.layout import Layout
from packer.images.layout_shelf import LayoutShelf
from packer.registry.artifact import Artifact
from packer.reproduction import recorded
from packer.reproduction.errors import DigestAmbiguous, DigestUnknown, NoRunImage
from tests.registries.images import make_layer

RUN = {"lock": "sha256:" + 64 * "a", "snapshot": "sha256:" + 64 * "b", "environment": "x"}


def made(layout: Layout, *, labels: dict[str, str], tag: str = "", word: str = "true") -> Digest:
    written = image.write(
        Image(
            layers=(make_layer(layout),),
            platform="linux/amd64",
            python="3.11.7",
            command=("sh", "-c", word),
            environment={"MODE": "fast"},
            labels=labels,
        ),
        layout,
    )
    if tag:
        layout.tag(tag, written)
    return written.digest


def refused(digest: Digest, shelf: LayoutShelf) -> NoRunImage:
    with pytest.raises(NoRunImage) as caught:
        recorded.read(digest, shelf)
    return caught.value


def test_a_run_image_tells_all_that_it_runs(layout: Layout, shelf: LayoutShelf) -> None:
    request = json.dumps({"gpu": "h100", "outputs": ["*.bin"]})
    found = recorded.read(made(layout, labels={**RUN, "request": request}), shelf)
    assert found.command == ("sh", "-c", "true")
    assert found.variables["MODE"] == "fast"
    assert found.request == {"gpu": "h100", "outputs": ["*.bin"]}
    assert (found.base, found.platform, len(found.layers)) == ("empty", "linux/amd64", 1)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"lock": RUN["lock"]}, "an environment image"),
        ({"base.python": "/usr/bin/python3.11"}, "a base image"),
        ({}, "an image that sendoff did not make"),
    ],
)
def test_other_images_are_called_what_they_are(
    layout: Layout, shelf: LayoutShelf, labels: dict[str, str], said: str
) -> None:
    assert said in refused(made(layout, labels=labels), shelf).why()


def test_what_is_no_image_is_called_what_it_is(layout: Layout, shelf: LayoutShelf) -> None:
    ran = made(layout, labels=RUN)
    shelf.attach_all({ran: [Artifact(kind="application/spdx+json", data=b"{}")]})
    (referrer,) = shelf.referrers(ran)
    about = refused(referrer.manifest.digest, shelf)
    assert "a document about an image" in about.why()
    assert ran in about.fix()
    platforms = {"manifests": [{"platform": {"os": "linux", "architecture": "arm64"}}]}
    index = layout.write(json.dumps({"mediaType": INDEX, **platforms}).encode())
    assert "several platforms (linux/arm64)" in refused(index, shelf).why()
    layer = recorded.read(ran, shelf).layers[0].digest
    assert "a blob" in refused(layer, shelf).why()
    shared = {"mediaType": MANIFEST, "artifactType": "x", "config": {}, "layers": []}
    assert "an artifact" in refused(layout.write(json.dumps(shared).encode()), shelf).why()
    assert "a document" in refused(layout.write(b"{}"), shelf).why()
    config = layout.write(b"{}")
    no_image = {"config": {"digest": config, "size": 2, "mediaType": "x"}, "layers": []}
    assert "no image's" in refused(layout.write(json.dumps(no_image).encode()), shelf).why()


def test_layers_and_config_that_disagree_are_refused(layout: Layout, shelf: LayoutShelf) -> None:
    ran = made(layout, labels=RUN)
    manifest = json.loads(layout.read(ran))
    manifest["layers"] *= 2
    assert "disagree" in refused(layout.write(json.dumps(manifest).encode()), shelf).why()


def test_a_few_digits_are_enough_where_one_image_has_them(
    layout: Layout, shelf: LayoutShelf
) -> None:
    digest = made(layout, labels=RUN)
    described = Descriptor(digest=digest, size=len(layout.read(digest)), media_type=MANIFEST)
    layout.tag(f"project-{digest.hex[:12]}", described)
    for length in (13, 19, 40, 71):
        assert recorded.resolve(digest[:length], shelf) == digest
    for name in ("sha256:" + 10 * "0", digest[:12], digest[:30] + 10 * "0"):
        with pytest.raises(DigestUnknown):
            recorded.resolve(name, shelf)


def alike(layout: Layout, digits: int) -> tuple[Digest, Digest]:
    """Two run images in `layout` whose digests begin with the same digits: searched for, as any
    two of some thousands do.
    """
    first = made(layout, labels=RUN)
    manifest = json.loads(layout.read(first))
    config = layout.read(Digest(manifest["config"]["digest"]))

    def variant(number: int) -> tuple[bytes, bytes]:
        other = config.replace(b"MODE=fast", b"MODE=%06d" % number)
        described = {**manifest["config"], "digest": Digest.of(other), "size": len(other)}
        return other, json.dumps({**manifest, "config": described}).encode()

    seen: dict[str, int] = {}
    for number in range(200_000):
        start = Digest.of(variant(number)[1]).hex[:digits]
        if start in seen:
            found = []
            for each in (seen[start], number):
                other, data = variant(each)
                layout.write(other)
                found.append(layout.write(data))
                described = Descriptor(digest=found[-1], size=len(data), media_type=MANIFEST)
                layout.tag(f"project-{found[-1].hex[:12]}", described)
            return found[0], found[1]
        seen[start] = number
    raise AssertionError("no two of them are alike")


def test_digits_that_several_images_have_are_too_few(layout: Layout, shelf: LayoutShelf) -> None:
    digests = alike(layout, 6)
    with pytest.raises(DigestAmbiguous) as caught:
        recorded.resolve(digests[0][: len("sha256:") + 6], shelf)
    assert caught.value.candidates == tuple(sorted(digests))
    assert all(digest in caught.value.evidence() for digest in digests)
    assert caught.value.fix() == "add digits until one is left"
    for digest in digests:
        assert recorded.resolve(digest[:19], shelf) == digest
        assert recorded.read(digest, shelf).command == ("sh", "-c", "true")


def test_a_digest_that_nobody_has(shelf: LayoutShelf) -> None:
    with pytest.raises(DigestUnknown) as caught:
        recorded.read(Digest.of(b"nobody"), shelf)
    assert caught.value.code == "DIGEST_GONE"
