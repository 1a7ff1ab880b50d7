"""The front of the package: what it costs to have one, and to warm it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from packer.digest import Digest
from packer.images.layout import Layout
from packer.registry.errors import DigestGone
from packer.registry.push_request import PushRequest
from packer.registry.registry import Registry
from tests.faults.proxy import Proxy
from tests.registries.images import make_image


def test_having_one_loads_nothing() -> None:
    code = (
        "import sys; from pathlib import Path; from packer.registry.registry import Registry;"
        "from packer.registry.access import Access;"
        "from packer.registry.reference import Repository;"
        "Registry(Repository.parse('registry.example.com/x'), Access(), Path('cache'));"
        "heavy = {'urllib3', 'tenacity', 'docker', 'ssl', 'concurrent.futures'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_push_that_goes_well_loads_neither_tenacity_nor_docker(
    registry: Registry, layout: Layout
) -> None:
    image = make_image(layout)
    code = (
        "import sys; from pathlib import Path; from packer.registry.registry import Registry;"
        "from packer.registry.access import Access; from packer.digest import Digest;"
        "from packer.registry.reference import Repository;"
        "from packer.registry.push_request import PushRequest;"
        "name, layout, image = sys.argv[1:];"
        "registry = Registry(Repository.parse(name), Access(), Path(layout) / 'cache');"
        "registry.push(PushRequest(layout=Path(layout), images=(Digest(image),)));"
        "heavy = {'tenacity', 'docker', 'requests', 'concurrent.futures'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(registry.repository), layout.root, image]
    subprocess.run(command, check=True)
    assert registry.has(image) == image


def test_warming_connects_ahead(registry: Registry, proxy: Proxy) -> None:
    registry.warm()
    proxy.wait(lambda: any(each.ended for each in proxy.log))
    assert [(each.target, each.status) for each in proxy.log] == [("/v2/", 200)]


def test_warming_what_is_not_there_is_not_an_error(registry: Registry, proxy: Proxy) -> None:
    proxy.refuse()
    registry.warm()


def test_checking_the_right_to_push(registry: Registry) -> None:
    registry.check()


def test_manifests_and_tags(registry: Registry, layout: Layout) -> None:
    image = make_image(layout)
    registry.push(PushRequest(layout=layout.root, images=(image,), tags={"one": image}))
    assert registry.has("one") == image
    assert registry.manifest("one").data == layout.read(image)
    assert registry.has(Digest.of(b"x")) is None
    with pytest.raises(DigestGone):
        registry.manifest("two")
