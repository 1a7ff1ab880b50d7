from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, LayoutDamaged, TagUnknown
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.images.layout_shelf import LayoutShelf
from packer.registry import artifact as artifacts
from packer.registry.artifact import Artifact
from tests.registries.images import make_image


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture
def shelf(layout: Layout) -> LayoutShelf:
    return LayoutShelf(layout.root)


def note(text: str, kind: str = "application/x") -> Artifact:
    return Artifact(kind=kind, data=text.encode(), annotations={"said": text})


def test_a_document_is_attached_once_and_the_image_stays(
    layout: Layout, shelf: LayoutShelf
) -> None:
    image = make_image(layout)
    before = layout.read(image)
    for _ in range(2):
        shelf.attach_all({image: [note("a"), note("b")]})
    found = shelf.referrers(image)
    assert [each.annotations["said"] for each in found] == ["a", "b"]
    assert [shelf.document(each) for each in found] == [b"a", b"b"]
    assert layout.read(image) == before


def test_the_list_is_what_the_referrers_tag_scheme_says(layout: Layout, shelf: LayoutShelf) -> None:
    image = make_image(layout)
    shelf.attach_all({image: [note("a")]})
    index = json.loads(layout.read(layout.tags()[f"sha256-{image.hex}"]))
    assert index["mediaType"] == INDEX
    (entry,) = index["manifests"]
    manifest = json.loads(layout.read(Digest(entry["digest"])))
    assert (entry["artifactType"], entry["mediaType"]) == ("application/x", MANIFEST)
    assert manifest["subject"]["digest"] == image


def test_one_kind_is_found_among_others(layout: Layout, shelf: LayoutShelf) -> None:
    image, other = make_image(layout), make_image(layout)
    shelf.attach_all({image: [note("a"), note("b", "application/y")], other: [note("c")]})
    assert len(shelf.referrers(image)) == 2
    assert [each.annotations["said"] for each in shelf.referrers(image, "application/y")] == ["b"]
    assert [each.annotations["said"] for each in shelf.referrers(other)] == ["c"]
    assert shelf.referrers(make_image(layout)) == ()


def test_nothing_is_attached_to_what_is_not_there(layout: Layout, shelf: LayoutShelf) -> None:
    image = make_image(layout)
    with pytest.raises(BlobMissing):
        shelf.attach_all({image: [note("a")], Digest.of(b"nobody"): [note("b")]})
    assert shelf.referrers(image) == ()


def test_writers_at_the_same_time_lose_nothing(layout: Layout, shelf: LayoutShelf) -> None:
    image = make_image(layout)

    def write(number: int) -> None:
        LayoutShelf(layout.root).attach_all({image: [note(str(number))]})

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    said = {each.annotations["said"] for each in shelf.referrers(image)}
    assert said == {str(number) for number in range(8)}


def test_blobs_and_manifests_are_verified(layout: Layout, shelf: LayoutShelf) -> None:
    digest = layout.write(b"content")
    blob = Descriptor(digest=digest, size=7, media_type="x")
    assert b"".join(shelf.blob(blob)) == b"content"
    layout.path(digest).write_bytes(b"CONTENT")
    with pytest.raises(BlobAltered):
        list(shelf.blob(blob))
    layout.path(digest).unlink()
    with pytest.raises(BlobMissing):
        list(shelf.blob(blob))
    with pytest.raises(TagUnknown):
        shelf.manifest("nobody")


def test_a_damaged_list_is_said(layout: Layout, shelf: LayoutShelf) -> None:
    image = make_image(layout)
    data = b'{"manifests": 1}'
    described = Descriptor(digest=layout.write(data), size=len(data), media_type=INDEX)
    layout.tag(artifacts.tag(image), described)
    with pytest.raises(LayoutDamaged):
        shelf.referrers(image)
