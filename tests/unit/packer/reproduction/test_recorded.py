"""What a digest names, and what is said where it names something else."""

from __future__ import annotations

import json
from pathlib import Path

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
from tests.registries.images import make_image, make_layer

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


def test_digits_that_several_images_have_are_too_few(
    layout: Layout, shelf: LayoutShelf, tmp_path: Path
) -> None:
    del tmp_path
    digests = [make_image(layout, command=word) for word in ("one", "two")]
    for number, digest in enumerate(digests):
        size = len(layout.read(digest))
        # As if both had these digits, which would take long to find.
        name = f"project{number}-{digests[0].hex[:12]}"
        layout.tag(name, Descriptor(digest=digest, size=size, media_type=MANIFEST))
    assert recorded.resolve(digests[0][:19], shelf) == digests[0]
    error = DigestAmbiguous("sha256:abcdef", [str(digest) for digest in digests])
    assert digests[0] in error.evidence()
    assert error.fix() == "add digits until one is left"


def test_a_digest_that_nobody_has(shelf: LayoutShelf) -> None:
    with pytest.raises(DigestUnknown) as caught:
        recorded.read(Digest.of(b"nobody"), shelf)
    assert caught.value.code == "DIGEST_GONE"
