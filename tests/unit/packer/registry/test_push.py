from __future__ import annotations

from packer.images.layout import Layout
from packer.registry.push import PushRequest
from packer.registry.registry import Registry
from tests.faults.proxy import Proxy
from tests.registries.images import make_image, make_layer


def test_push_and_find(registry: Registry, layout: Layout, proxy: Proxy) -> None:
    big = make_layer(layout, 1_000_000)
    digest = make_image(layout, big)
    pushed = registry.push(PushRequest(layout=layout.root, images=(digest,)))
    assert len(pushed.uploaded) == 2
    assert registry.has(digest) == digest
    assert len(proxy.log) == 8
