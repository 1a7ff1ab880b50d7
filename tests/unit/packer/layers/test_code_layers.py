from __future__ import annotations

import gzip
import io
import itertools
import os
import tarfile
from pathlib import Path

import pytest

from packer.images.layout import Layout
from packer.layers import code_layers
from packer.layers.code_layers import LARGE, Tree
from packer.layers.layer import Layer
from packer.project import listing, snapshot
from packer.project.tree_errors import FileUnreadable, TreeChanged

SHA256 = "0" * 64


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def tree(project: Path, target: str = "/workspace") -> Tree:
    taken = snapshot.take(project, cache=project.parent / "cache")
    return Tree(snapshot=taken, source=project, target=target)


def fill(project: Path, files: int, size: int) -> None:
    for number in range(files):
        (project / f"file{number}").write_bytes(os.urandom(size))


def build(layout: Layout, *trees: Tree) -> tuple[Layer, ...]:
    return code_layers.build(trees, layout, layout.root.parent / "memory")


def members(layout: Layout, layer: Layer) -> dict[str, tarfile.TarInfo]:
    data = gzip.decompress(layout.read(layer.digest))
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        return {member.name: member for member in archive}


def plan(**sizes: int) -> list[list[bytes]]:
    heads = {
        name.encode(): listing.file_head(size, SHA256, executable=False)
        for name, size in sizes.items()
    }
    buckets = code_layers.plan([("/workspace", listing.join(heads))])
    return [[record for _, record in bucket.records] for bucket in buckets]


def test_a_small_tree_is_one_layer():
    (bucket,) = plan(**{f"file{number}": 1_000 for number in range(50)})
    paths = [listing.entry(record).path for record in bucket]
    assert paths == sorted(paths)


def test_a_larger_tree_is_split_by_paths_alone():
    sizes = {f"file{number}": 10_000 for number in range(200)}
    before, after = plan(**sizes), plan(**{**sizes, "file7": 9_999})
    assert len(before) == 6
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    assert sorted(itertools.chain(*before)) == sorted(
        listing.file_head(size, SHA256, executable=False) + name.encode()
        for name, size in sizes.items()
    )


@pytest.mark.parametrize(("files", "layers"), [(25, 1), (200, 6), (700, 12)])
def test_a_large_tree_has_more_layers(files: int, layers: int):
    buckets = plan(**{f"file{number}": 15_000 for number in range(files)})
    assert len(buckets) == layers
    assert sum(map(len, buckets)) == files
    for bucket in buckets:
        paths = [listing.entry(record).path for record in bucket]
        assert paths == sorted(paths)


def test_large_files_lie_apart():
    small = {f"file{number}": 10_000 for number in range(200)}
    large = {f"model{number}": LARGE for number in range(20)}
    both = plan(**small, **large)
    assert len(both) == 8
    assert both[:6] == plan(**small)


def test_no_layer_is_empty():
    assert plan() == []
    assert len(plan(model=LARGE)) == 1


def test_layers_hold_the_tree(project: Path, layout: Layout):
    (project / "a").mkdir()
    (project / "a" / "run.sh").write_text("run")
    (project / "a" / "run.sh").chmod(0o777)
    (project / "link").symlink_to("a/run.sh")
    (project / "empty").mkdir()
    (project / os.fsdecode(b"\xff\n")).write_text("x")
    (layer,) = build(layout, tree(project))
    found = members(layout, layer)
    assert list(found) == [
        "workspace",
        "workspace/a",
        "workspace/a/run.sh",
        "workspace/empty",
        "workspace/link",
        "workspace/\udcff\n",
    ]
    assert {member.mtime for member in found.values()} == {0}
    assert {member.uid for member in found.values()} == {0}
    assert found["workspace/a/run.sh"].mode == 0o755
    assert found["workspace/empty"].isdir()
    assert found["workspace/link"].linkname == "a/run.sh"


def test_a_change_makes_one_layer_anew(project: Path, layout: Layout):
    fill(project, 200, 5_000)
    before = build(layout, tree(project))
    (project / "file7").write_bytes(b"changed")
    after = build(layout, tree(project))
    assert len(set(before) ^ set(after)) == 2


def test_known_layers_need_no_file(project: Path, layout: Layout):
    fill(project, 3, 10)
    packed = tree(project)
    before = build(layout, packed)
    for path in project.iterdir():
        path.unlink()
    assert build(layout, packed) == before


def test_what_was_made_before_the_last_is_known_as_well(project: Path, layout: Layout):
    fill(project, 3, 10)
    first = tree(project)
    before = build(layout, first)
    (project / "file1").write_bytes(b"changed")
    assert build(layout, tree(project)) != before
    for path in project.iterdir():
        path.unlink()
    assert build(layout, first) == before


@pytest.mark.parametrize("damage", ["removed", "cut"])
def test_a_layer_that_is_no_longer_there_is_made_again(project: Path, layout: Layout, damage: str):
    fill(project, 200, 5_000)
    layers = build(layout, tree(project))
    blob = layout.path(layers[3].digest)
    content = blob.read_bytes()
    blob.unlink()
    if damage == "cut":
        blob.write_bytes(content[:-1])
    assert build(layout, tree(project)) == layers
    assert blob.read_bytes() == content


def test_two_trees_share_layers(project: Path, layout: Layout, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (project / "a").write_text("a")
    (other / "b").write_text("b")
    (layer,) = build(layout, tree(other, "/opt/sendoff/editable/other"), tree(project))
    files = {name: member for name, member in members(layout, layer).items() if member.isfile()}
    assert list(files) == ["opt/sendoff/editable/other/b", "workspace/a"]


def test_a_file_that_changed_since_the_snapshot_is_refused(project: Path, layout: Layout):
    fill(project, 3, 10)
    packed = tree(project)
    for change in (
        lambda: (project / "file1").write_bytes(b"same size!"),
        lambda: (project / "file1").write_bytes(b"shorter"),
        (project / "file1").unlink,
    ):
        change()
        with pytest.raises(TreeChanged) as caught:
            build(layout, packed)
        assert caught.value.path == "file1"
    (project / "file1").symlink_to("file2")
    with pytest.raises(FileUnreadable):
        build(layout, packed)
    assert not list((layout.root / "blobs" / "sha256").iterdir())
    assert not list((layout.root / ".incoming").iterdir())
