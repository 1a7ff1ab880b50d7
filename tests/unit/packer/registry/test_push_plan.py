"""What a push has to do, without doing it."""

from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images.descriptor import CONFIG, MANIFEST, Descriptor
from packer.layers.layer import MEDIA_TYPE
from packer.record import encode
from packer.registry import push_plan
from packer.registry.push_plan import LITTLE, SMALL, ImageParts, after_lookups, plan


def blob(name: str, size: int = 1000, media_type: str = MEDIA_TYPE) -> Descriptor:
    return Descriptor(digest=Digest.of(name.encode()), size=size, media_type=media_type)


def image(name: str, *layers: Descriptor) -> ImageParts:
    manifest = blob(f"manifest of {name}", 500, MANIFEST)
    return ImageParts(manifest=manifest, blobs=(blob(f"config of {name}", 300, CONFIG), *layers))


WHEELS = tuple(blob(f"wheel {number}", SMALL * 20) for number in range(3))
RUNNER = blob("runner")
ENVIRONMENT = image("environment", *WHEELS)
RUN = image("run", *WHEELS, RUNNER, blob("code 1"), blob("code 2", SMALL))


def everything(*images: ImageParts) -> set[Digest]:
    return {
        digest
        for each in images
        for digest in (each.manifest.digest, *(one.digest for one in each.blobs))
    }


def names(described: tuple[Descriptor, ...]) -> set[Digest]:
    return {each.digest for each in described}


def test_a_first_push(golden) -> None:
    planned = plan([RUN], ENVIRONMENT, set())
    assert planned.lookups == (ENVIRONMENT, RUN)
    assert names(planned.asked) == {*names(WHEELS), blob("code 2").digest}
    assert len(planned.sent) == 4
    assert planned.manifests == (ENVIRONMENT, RUN)
    golden("push-plan.json", json.dumps(json.loads(encode(planned)), indent=1) + "\n")


def test_after_a_code_change_only_what_is_new() -> None:
    code = blob("code 3")
    changed = image("changed", *WHEELS, RUNNER, code, blob("code 2", SMALL))
    planned = plan([changed], ENVIRONMENT, everything(ENVIRONMENT, RUN))
    assert not planned.lookups
    assert not planned.asked
    assert names(planned.sent) == {blob("config of changed").digest, code.digest}
    assert planned.manifests == (changed,)


def test_a_change_of_a_large_layer_is_sent_unseen_too() -> None:
    changed = image("changed", *WHEELS, RUNNER, blob("code 4", LITTLE - 1000))
    planned = plan([changed], ENVIRONMENT, everything(ENVIRONMENT, RUN))
    assert not planned.lookups
    assert names(planned.sent) == {blob("config of changed").digest, blob("code 4").digest}


def test_a_large_change_is_asked_for() -> None:
    changed = image("changed", *WHEELS, RUNNER, blob("code 5", LITTLE))
    planned = plan([changed], ENVIRONMENT, everything(ENVIRONMENT, RUN))
    assert planned.lookups == (changed,)
    assert names(planned.asked) == {blob("code 5").digest}


def test_nothing_changed_is_one_question() -> None:
    planned = plan([RUN], ENVIRONMENT, everything(ENVIRONMENT, RUN))
    assert planned.lookups == (RUN,)
    assert not planned.asked + planned.sent
    found = after_lookups(planned, {RUN.manifest.digest})
    assert not found.manifests
    assert after_lookups(planned, set()).manifests == (RUN,)


def test_an_environment_image_that_is_found_brings_its_layers() -> None:
    planned = plan([RUN], ENVIRONMENT, set())
    left = after_lookups(planned, {ENVIRONMENT.manifest.digest})
    assert names(left.asked) == {blob("code 2").digest}
    assert blob("config of environment").digest not in names(left.sent)
    assert left.manifests == (RUN,)
    assert names(left.known) == names(ENVIRONMENT.blobs)


def test_a_sweep_shares_its_layers_and_asks_for_two_images_only() -> None:
    runs = [image(f"run {number}", *WHEELS, RUNNER) for number in range(100)]
    planned = plan(runs, ENVIRONMENT, set())
    assert planned.lookups == (ENVIRONMENT, runs[-1])
    assert len(planned.asked) == 3
    assert len(planned.sent) == 102
    assert len(planned.manifests) == 101


def test_the_same_image_twice() -> None:
    planned = plan([RUN, RUN], RUN, set())
    assert planned.manifests == (RUN,)
    assert len(planned.sent) + len(planned.asked) == len(RUN.blobs)


def test_small_images_are_not_looked_for() -> None:
    small = image("small", RUNNER)
    assert not plan([small], None, set()).lookups


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"config": {}, "layers": []}', b'{"mediaType": "x", "layers": [1]}'],
)
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        push_plan.parts(Digest.of(data), data)
