from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from packer.bases.built import BuiltBase, BuiltBases
from packer.bases.errors import BaseNotBuilt
from packer.digest import Digest
from packer.errors import BlobAltered
from packer.images.layout import Layout
from tests.unit.packer.bases.conftest import member


@pytest.fixture
def shelf(tmp_path: Path) -> BuiltBases:
    return BuiltBases(tmp_path / "bases")


def record(digest: Digest) -> BuiltBase:
    return BuiltBase(
        name="cpu",
        python="3.11",
        digest=digest,
        size=1,
        layers=(),
        distribution="debian-12",
        packages=(),
        sbom=digest,
        provenance=digest,
    )


def test_what_is_kept_is_found(
    shelf: BuiltBases, layout: Layout, image: Callable[..., Digest]
) -> None:
    digest = image(member("a", b"1"))
    shelf.adopt(layout)
    shelf.keep(record(digest))
    assert shelf.find("cpu", "3.11") == record(digest)
    assert shelf.layout.tags() == {"cpu:3.11": digest}
    shelf.layout.path(digest).unlink()
    with pytest.raises(BaseNotBuilt, match=r"cpu:3\.11 was not built here"):
        shelf.find("cpu", "3.11")


def test_what_a_builder_wrote_is_compared_with_its_digest(
    shelf: BuiltBases, layout: Layout, image: Callable[..., Digest]
) -> None:
    layout.path(image(member("a", b"1"))).write_bytes(b"other")
    with pytest.raises(BlobAltered):
        shelf.adopt(layout)
