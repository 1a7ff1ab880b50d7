from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, LayoutDamaged, TagUnknown
from packer.images.descriptor import MANIFEST, Descriptor
from packer.images.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_blob_is_named_by_its_digest(layout: Layout):
    digest = layout.write(b"content")
    assert layout.path(digest).read_bytes() == b"content"
    assert layout.read(digest) == b"content"
    assert layout.verify(digest) == layout.path(digest)


def test_the_directory_is_a_layout_as_the_specification_says(layout: Layout):
    digest = layout.write(b"content")
    assert json.loads((layout.root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout.root / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    assert index["manifests"] == []
    assert (layout.root / "blobs" / "sha256" / digest.hex).is_file()


def test_reading_writes_nothing(layout: Layout):
    assert not layout.has(Digest.of(b""))
    assert layout.tags() == {}
    with pytest.raises(BlobMissing):
        layout.read(Digest.of(b""))
    assert not layout.root.exists()


def test_an_uncommitted_blob_leaves_nothing(layout: Layout):
    with layout.blob() as writer:
        writer.write(b"half")
    assert files(layout.root) == [".lock", "index.json", "oci-layout"]


def test_what_a_killed_writer_left_is_removed_and_what_is_being_written_stays(layout: Layout):
    layout.write(b"")
    (layout.root / ".incoming" / "killed").write_bytes(b"half")
    with layout.blob() as writer:
        writer.write(b"content")
        Layout(layout.root).write(b"other")
        writer.commit(Digest.of(b"content"))
    assert layout.read(Digest.of(b"content")) == b"content"
    assert not list((layout.root / ".incoming").iterdir())


def test_a_shortened_blob_is_not_had(layout: Layout):
    digest = layout.write(b"content")
    layout.path(digest).write_bytes(b"con")
    assert layout.has(digest)
    assert not layout.has(digest, 7)
    layout.write(b"content")
    assert layout.read(digest) == b"content"


def test_an_altered_blob_is_found(layout: Layout):
    digest = layout.write(b"content")
    layout.path(digest).write_bytes(b"CONTENT")
    for access in (layout.read, layout.verify):
        with pytest.raises(BlobAltered) as caught:
            access(digest)
        assert caught.value.code == "BLOB_ALTERED"
        assert str(layout.path(digest)) in caught.value.fix()


def test_a_missing_blob_is_found(layout: Layout):
    digest = layout.write(b"content")
    layout.path(digest).unlink()
    for access in (layout.read, layout.verify, layout.resolve):
        with pytest.raises(BlobMissing) as caught:
            access(digest)
        assert caught.value.code == "DIGEST_GONE"


def test_tags_move_and_digests_stay(layout: Layout):
    first, second = (
        Descriptor(digest=layout.write(data), size=len(data), media_type=MANIFEST)
        for data in (b"{}", b"{ }")
    )
    layout.tag("run", first)
    layout.tag("run", second)
    assert layout.resolve("run") == second.digest
    assert layout.resolve(first.digest) == first.digest
    with pytest.raises(TagUnknown):
        layout.resolve("other")


def test_tags_of_two_writers_are_all_kept(layout: Layout):
    layout.write(b"{}")
    descriptor = Descriptor(digest=Digest.of(b"{}"), size=2, media_type=MANIFEST)

    def write(letter: str) -> None:
        for number in range(50):
            Layout(layout.root).tag(f"{letter}{number}", descriptor)

    writers = [threading.Thread(target=write, args=[letter]) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(layout.tags()) == 100


def test_what_other_tools_wrote_into_the_index_stays(layout: Layout):
    layout.write(b"{}")
    foreign = [
        {"mediaType": MANIFEST, "digest": Digest.of(b"1"), "size": 1},
        {
            "mediaType": MANIFEST,
            "digest": Digest.of(b"2"),
            "size": 1,
            "annotations": {"org.opencontainers.image.ref.name": "theirs", "more": "x"},
            "platform": {"os": "linux", "architecture": "arm64"},
        },
    ]
    index = {"schemaVersion": 2, "manifests": foreign}
    (layout.root / "index.json").write_text(json.dumps(index))
    layout.tag("ours", Descriptor(digest=Digest.of(b"{}"), size=2, media_type=MANIFEST))
    written = json.loads((layout.root / "index.json").read_bytes())["manifests"]
    assert all(entry in written for entry in foreign)
    assert layout.tags() == {"ours": Digest.of(b"{}"), "theirs": Digest.of(b"2")}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"manifests": 1}'])
def test_a_damaged_index_is_named(layout: Layout, text: str):
    layout.write(b"{}")
    (layout.root / "index.json").write_text(text)
    with pytest.raises(LayoutDamaged) as caught:
        layout.resolve("any")
    assert caught.value.code == "LAYOUT_DAMAGED"
