"""Layers found in a real registry by what they were made from, and sent there ahead."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.images import image
from packer.images.descriptor import MANIFEST, Descriptor
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.progress import SILENT
from packer.registry.client import Client, Manifest
from packer.registry.errors import PushInterrupted
from packer.registry.push_request import PushRequest
from packer.registry.registry import Registry
from packer.registry.shared_layers import RegistryLayers
from tests.faults.faults import Answer
from tests.faults.proxy import Proxy

KEY, OTHER = Digest.of(b"what it was made from"), Digest.of(b"something else")


def layer(layout: Layout, text: bytes = b"a layer" * 60_000) -> Layer:
    digest = layout.write(text)
    return Layer(digest=digest, diff_id=Digest.of(b"plain " + text[:20]), size=len(text))


def shared(registry: Registry, layout: Layout, *base: Digest) -> RegistryLayers:
    return registry.layers(layout.root, base)


def test_a_layer_is_found_by_whoever_asks(registry: Registry, layout: Layout, tmp_path) -> None:
    made = layer(layout)
    with shared(registry, layout) as ours:
        assert ours.layers([KEY, OTHER]) == {}
        ours.made(KEY, made, shared=True)
        ours.settle(SILENT)
    # Another machine: another cache, an empty layout.
    theirs = Registry(registry.repository, registry._access, tmp_path / "other")
    with shared(theirs, Layout(tmp_path / "empty")) as others:
        assert made.digest not in others.there()
        assert others.layers([OTHER, KEY]) == {KEY: made}
        assert made.digest in others.there()


def test_one_that_is_not_shared_is_sent_and_not_named(
    registry: Registry, layout: Layout, client: Client
) -> None:
    made = layer(layout)
    with shared(registry, layout) as ours:
        ours.made(KEY, made, shared=False)
        ours.settle(SILENT)
        assert ours.layers([KEY]) == {}
    assert client.has_blob(made.digest)


def test_what_is_sent_ahead_is_not_asked_for_again(
    registry: Registry, layout: Layout, proxy: Proxy
) -> None:
    made = layer(layout)
    with shared(registry, layout) as ours:
        ours.made(KEY, made, shared=True)
        ours.settle(SILENT)
    found = image.write(Image(layers=(made,), platform="linux/amd64", python="3.11.2"), layout)
    proxy.forget()
    registry.push(PushRequest(layout=layout.root, images=(found.digest,)))
    assert not [each for each in proxy.log if made.digest in each.target]


def test_an_environment_above_its_base(registry: Registry, layout: Layout) -> None:
    base, mine = layer(layout, b"base" * 100), layer(layout)
    whole = Image(layers=(base, mine), platform="linux/amd64", python="3.11.2")
    made = image.write(whole, layout)
    tags = {f"env-{KEY.hex}": made.digest}
    registry.push(PushRequest(layout=layout.root, images=(made.digest,), tags=tags))
    assert shared(registry, layout, base.digest).environment(KEY) == (mine,)
    assert shared(registry, layout).environment(KEY) == (base, mine)
    # A tag that someone moved to an image on another base is none of this environment.
    assert shared(registry, layout, mine.digest).environment(KEY) is None
    assert shared(registry, layout).environment(OTHER) is None


@pytest.mark.parametrize("annotations", [{}, {"io.sendoff.diff-id": "no digest"}])
def test_what_others_gave_the_name_is_not_believed(
    registry: Registry, layout: Layout, client: Client, annotations: dict[str, str]
) -> None:
    made = layer(layout)
    found = image.write(Image(layers=(made,), platform="linux/amd64", python="3.11.2"), layout)
    registry.push(PushRequest(layout=layout.root, images=(found.digest,)))
    content = json.loads(client.manifest(found.digest).data) | {"annotations": annotations}
    data = json.dumps(content).encode()
    client.put_manifest(f"layer-{KEY.hex}", Manifest(Digest.of(data), MANIFEST, data))
    with shared(registry, layout) as ours:
        assert ours.layers([KEY]) == {}


def test_a_failure_ends_all_and_is_raised(registry: Registry, layout: Layout, proxy: Proxy) -> None:
    proxy.on("PUT", "/blobs/uploads/", Answer(503), times=1_000)
    texts = [hashlib.sha256(bytes([number])).digest() * 10_000 for number in range(6)]
    with shared(registry, layout) as ours:
        for text in texts:
            ours.made(Digest.of(text), layer(layout, text), shared=True)
        with pytest.raises(PushInterrupted):
            ours.settle(SILENT)


def _fails(ours: RegistryLayers, made: Layer) -> None:
    with ours:
        ours.made(KEY, made, shared=True)
        raise KeyboardInterrupt


def test_leaving_by_an_error_gives_up(registry: Registry, layout: Layout, proxy: Proxy) -> None:
    proxy.on("PUT", "/blobs/uploads/", Answer(503), times=1_000)
    ours = shared(registry, layout)
    with pytest.raises(KeyboardInterrupt):
        _fails(ours, layer(layout))
    (sending,) = ours._sending
    assert sending.cancelled() or sending.exception(timeout=10)


def test_nothing_is_loaded_before_something_is_looked_for(layout: Layout) -> None:
    code = (
        "import sys; from pathlib import Path; from packer.registry.registry import Registry;"
        "from packer.registry.access import Access; from packer.progress import SILENT;"
        "from packer.registry.reference import Repository;"
        "registry = Registry(Repository.parse('localhost:1/x'), Access(), Path('cache'));"
        "shared = registry.layers(Path('layout'), ());"
        "shared.__enter__(); shared.settle(SILENT); shared.__exit__(None, None, None);"
        "heavy = {'urllib3', 'tenacity', 'ssl', 'concurrent.futures'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=layout.root.parent)


def test_the_artifact(golden) -> None:
    from packer.registry.shared_layers import artifact

    made = Layer(digest=Digest.of(b"digest"), diff_id=Digest.of(b"diff"), size=7)
    empty = Descriptor(
        digest=Digest.of(b"{}"), size=2, media_type="application/vnd.oci.empty.v1+json"
    )
    golden("layer-artifact.json", artifact(made, empty))


def test_an_empty_repository(tmp_path: Path, registry: Registry) -> None:
    """A registry without the repository has nothing, and says so without an error."""
    with shared(registry, Layout(tmp_path)) as ours:
        assert ours.environment(KEY) is None
        assert ours.layers([KEY]) == {}
