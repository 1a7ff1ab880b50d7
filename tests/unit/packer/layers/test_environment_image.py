from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tarfile
import time
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import msgspec
import pytest

from packer.environment.lock import FilesPin, PinnedFile, WheelPin
from packer.layers.environment_plan import SINGLE_LAYERS
from packer.layers.installed_copy import InstalledCopy
from packer.layers.zip_archive import ZipArchive
from packer.wheels.errors import FileAltered, WheelCorrupt, WheelHashMismatch, WheelUnavailable
from tests.unit.packer.conftest import pin_of
from tests.unit.packer.layers.layer_bench import Bench

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/python{MINOR}/site-packages"
TAG = sys.implementation.cache_tag


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bench")


def pinned(path: str, data: bytes, **more) -> PinnedFile:
    digest = hashlib.sha256(data).hexdigest()
    return PinnedFile(path=path, size=len(data), sha256=digest, **more)


def test_a_wheel_becomes_a_layer(bench, make_wheel):
    wheel = make_wheel({"foo.py": "x = 1\n", "foo/data.bin": bytes(9_000_000)})
    layers = bench.build([wheel])
    tree = bench.tree(layers)
    assert len(layers) == 1
    assert tree[f"{SITE}/foo.py"] == (b"x = 1\n", 0o644)
    assert tree[f"{SITE}/foo/data.bin"][0] == bytes(9_000_000)
    bytecode = tree[f"{SITE}/__pycache__/foo.{TAG}.pyc"][0]
    assert bytecode[:4] == importlib.util.MAGIC_NUMBER


def test_entries_are_sorted_and_unique(bench, make_wheel):
    (layer,) = bench.build([make_wheel({f"{n}/é{n}.py": "" for n in "Zab_"})])
    with tarfile.open(bench.layout.path(layer.digest)) as archive:
        names = [m.name.encode() for m in archive if m.isfile()]
    assert names == sorted(set(names))


def test_a_known_layer_needs_neither_wheel_nor_interpreter(bench, make_wheel):
    wheel = make_wheel({"foo.py": "x = 1\n"})
    first = bench.build([wheel])
    wheel[1].unlink()
    bench.interpreter = msgspec.structs.replace(bench.interpreter, executable="/no/such/python")
    assert bench.build([wheel]) == first
    assert bench.fetched == [(wheel[0],)]


def test_only_unknown_wheels_are_fetched(bench, make_wheel):
    one, two = make_wheel({"a.py": "1"}, name="one"), make_wheel({"b.py": "2"}, name="two")
    bench.build([one])
    bench.build([one, two])
    assert bench.fetched == [(one[0],), (two[0],)]


def test_a_layer_that_vanished_is_made_again(bench, make_wheel):
    wheel = make_wheel({"foo.py": "x = 1\n"})
    (layer,) = bench.build([wheel])
    bench.layout.path(layer.digest).unlink()
    assert bench.build([wheel]) == (layer,)
    assert bench.layout.has(layer.digest)


def test_namespace_packages_merge(bench, make_wheel):
    wheels = [
        make_wheel({"nvidia/one/__init__.py": ""}, name="one"),
        make_wheel({"nvidia/two/__init__.py": ""}, name="two"),
    ]
    tree = bench.tree(bench.build(wheels))
    assert {f"{SITE}/nvidia/one/__init__.py", f"{SITE}/nvidia/two/__init__.py"} <= set(tree)


def test_many_wheels_share_layers(bench, make_wheel):
    wheels = [make_wheel({f"m{n}.py": str(n), "same.py": ""}, name=f"w{n}") for n in range(40)]
    layers = bench.build(wheels)
    assert 24 < len(layers) <= 29
    assert {f"{SITE}/m{n}.py" for n in range(40)} <= set(bench.tree(layers))


def test_files_and_overlay_lie_over_wheels(bench, make_wheel, tmp_path):
    wheel = make_wheel({"foo.py": "x = 1\n", "bar.py": ""})
    local = tmp_path / "local.py"
    local.write_bytes(b"y = 2\n")
    big = bytes(range(256)) * 20_000
    pin = FilesPin(
        name="local",
        version="1",
        files=(
            pinned("bin/tool", b"#!/bin/sh\n", executable=True),
            pinned(f"{SITE}/local.py", b"y = 2\n"),
            pinned(f"{SITE}/model.bin", big),
        ),
        origin="src",
    )
    overlay = (pinned(f"{SITE}/foo.py", b"x = 3\n"),)
    sources = {
        pin.files[0].sha256: b"#!/bin/sh\n",
        pin.files[1].sha256: local,
        pin.files[2].sha256: big,
        overlay[0].sha256: b"x = 3\n",
    }
    layers = bench.build([wheel], sources=sources, files=(pin,), overlay=overlay)
    tree = bench.tree(layers)
    assert tree[f"{SITE}/foo.py"][0] == b"x = 3\n"
    assert tree["bin/tool"] == (b"#!/bin/sh\n", 0o755)
    assert tree[f"{SITE}/local.py"][0] == b"y = 2\n"
    assert tree[f"{SITE}/model.bin"][0] == big
    assert f"{SITE}/__pycache__/local.{TAG}.pyc" in tree
    assert layers[-1].size < len(big)


def test_removed_files_have_no_bytecode_either(bench, make_wheel):
    wheel = make_wheel({"foo.py": "x = 1\n", "bar.py": ""})
    tree = bench.tree(bench.build([wheel], removed=(f"{SITE}/foo.py",)))
    assert not any("foo.py" in path or "foo." in path for path in tree if "dist-info" not in path)
    assert f"{SITE}/bar.py" in tree


def test_sources_that_do_not_compile_are_packed_without_bytecode(bench, make_wheel):
    tree = bench.tree(bench.build([make_wheel({"t/bad.py": "{{ name }} (", "good.py": ""})]))
    assert f"{SITE}/t/bad.py" in tree
    assert [path for path in tree if path.endswith(".pyc")] == [
        f"{SITE}/__pycache__/good.{TAG}.pyc"
    ]


def test_test_suites_are_packed_without_bytecode(bench, make_wheel):
    files = {"foo/a.py": "", "foo/tests/b.py": "", "tests/c.py": "", "foo/testing/d.py": ""}
    tree = bench.tree(bench.build([make_wheel(files)]))
    assert {f"{SITE}/{path}" for path in files} <= tree.keys()
    assert [path for path in tree if path.endswith(".pyc")] == [
        f"{SITE}/foo/__pycache__/a.{TAG}.pyc",
        f"{SITE}/foo/testing/__pycache__/d.{TAG}.pyc",
    ]


def leaves_nothing(bench) -> bool:
    left = {path.name for path in bench.blobs()} - {"oci-layout", "index.json", ".lock"}
    return not left and not list((bench.root / "memory").glob("*"))


def test_a_wheel_with_another_hash_is_refused(bench, make_wheel):
    pin, path = make_wheel({"foo.py": "x = 1\n"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("evil.py", "import os\n")
    with pytest.raises(WheelHashMismatch) as caught:
        bench.build([(pin, path)])
    assert caught.value.filename == pin.filename
    assert leaves_nothing(bench)
    assert not path.exists()


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9, 0.999])
def test_a_corrupt_wheel_is_refused(bench, make_wheel, at):
    pin, path = make_wheel({"foo.bin": bytes(range(256)) * 100, "foo.py": "x = 1\n" * 100})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * at)])
    with pytest.raises((WheelCorrupt, WheelHashMismatch)):
        bench.build([(pin, path)])
    assert leaves_nothing(bench)
    # It would be found again each time, and never fetched.
    assert not path.exists()


def test_what_was_pinned_stays_though_it_is_no_wheel(bench, tmp_path):
    path = tmp_path / "odd-1.0-py3-none-any.whl"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(WheelCorrupt):
        bench.build([(pin_of(path), path)])
    assert path.exists()


def test_a_wheel_that_is_damaged_goes_also_where_its_layer_was_made_before(bench, make_wheel):
    pin, path = make_wheel({"foo.py": "x = 1\n" * 100})
    (layer,) = bench.build([(pin, path)])
    bench.layout.path(layer.digest).unlink()
    path.write_bytes(bytes(pin.size))
    with pytest.raises(WheelCorrupt):
        bench.build([(pin, path)])
    assert not path.exists()


def test_one_bad_wheel_does_not_spoil_the_others(bench, make_wheel):
    good, bad = make_wheel({"a.py": "1"}, name="good"), make_wheel({"b.py": "2"}, name="bad")
    bad[1].write_bytes(b"<html>not found</html>")
    with pytest.raises(WheelCorrupt) as caught:
        bench.build([good, bad])
    assert caught.value.filename == "bad-1.0-py3-none-any.whl"
    assert (good[1].exists(), bad[1].exists()) == (True, False)
    bench.build([good])


def test_a_layer_is_made_while_another_wheel_is_on_its_way(bench, make_wheel):
    first, second = (
        make_wheel({"a.py": "1"}, name="first"),
        make_wheel({"b.py": "2"}, name="second"),
    )
    small = [make_wheel({f"s{n}.py": ""}, name=f"s{n}") for n in range(SINGLE_LAYERS)]
    large = [(msgspec.structs.replace(pin, size=1 << 20), path) for pin, path in (first, second)]

    def arriving(wheels):
        yield wheels[0]
        until(lambda: [path for path in bench.blobs() if "sha256" in path.parts])
        yield from wheels[1:]

    layers = bench.build([*large, *small], arriving=arriving)
    assert layers == Bench(bench.root / "other").build([*large, *small])


def unavailable(pin: WheelPin) -> WheelUnavailable:
    return WheelUnavailable(pin.filename, "https://index/b", "it answered 503")


def test_what_was_made_before_a_wheel_did_not_come_is_kept(bench, make_wheel):
    wheels = [make_wheel({"a.py": "1"}, name="a"), make_wheel({"b.py": "2"}, name="b")]
    memory = bench.root / "memory"

    def arriving(arrived):
        yield arrived[0]
        until(lambda: memory.is_dir() and any(path.is_file() for path in memory.iterdir()))
        raise unavailable(wheels[1][0])

    with pytest.raises(WheelUnavailable):
        bench.build(wheels, arriving=arriving)
    layers = bench.build(wheels)
    assert [[pin.name for pin in pins] for pins in bench.fetched] == [["a", "b"], ["b"]]
    assert layers == Bench(bench.root / "other").build(wheels)


def test_a_layer_under_way_is_given_up_when_a_wheel_does_not_come(bench, make_wheel):
    wheels = [
        make_wheel({f"{n}.bin": os.urandom(1 << 20) for n in range(40)}, name="large"),
        make_wheel({"b.py": "2"}, name="b"),
    ]
    incoming = bench.root / "layout" / ".incoming"

    def arriving(arrived):
        yield arrived[0]
        until(lambda: incoming.is_dir() and any(incoming.iterdir()))
        raise unavailable(wheels[1][0])

    with pytest.raises(WheelUnavailable):
        bench.build(wheels, arriving=arriving)
    assert leaves_nothing(bench)


def test_wheels_that_are_not_fetched_are_no_layers_left_out(bench, make_wheel):
    wheels = [make_wheel({"a.py": "1"}, name="a"), make_wheel({"b.py": "2"}, name="b")]
    with pytest.raises(LookupError, match=wheels[1][0].sha256):
        bench.build(wheels, arriving=lambda arrived: arrived[:1])


def test_an_altered_file_is_refused(bench, tmp_path):
    path = tmp_path / "local.py"
    path.write_bytes(b"y = 3\n")
    item = pinned(f"{SITE}/local.py", b"y = 2\n")
    with pytest.raises(FileAltered) as caught:
        bench.build([], sources={item.sha256: path}, overlay=(item,))
    assert caught.value.code == "TREE_CHANGED"
    assert str(path) in str(caught.value)
    assert leaves_nothing(bench)


def test_two_places_give_the_same_layers(bench, make_wheel, tmp_path):
    wheels = [make_wheel({f"{n}.py": f"x = {n}\n" for n in range(200)}, name=n) for n in "ab"]
    assert bench.build(wheels) == Bench(tmp_path / "other").build(wheels)


LIBRARY = bytes(range(256)) * 8_000
HASHED = urlsafe_b64encode(hashlib.sha256(LIBRARY).digest()).decode().rstrip("=")
RECORD = {"RECORD": f"foo/library.so,sha256={HASHED},{len(LIBRARY)}\n"}
"""As in every real wheel: without it, files are read for the one that the image has."""


@pytest.fixture
def installed(bench, tmp_path) -> Path:
    """Where the sandbox has a large file of a wheel."""
    site = tmp_path / "site"
    (site / "foo").mkdir(parents=True)
    replaced = dict.fromkeys(("purelib", "platlib"), str(site))
    bench.interpreter = msgspec.structs.replace(bench.interpreter, **replaced, site_dirs=())
    library = site / "foo" / "library.so"
    library.write_bytes(LIBRARY)
    return library


def test_what_is_installed_is_not_inflated(bench, make_wheel, installed, tmp_path, monkeypatch):
    wheel = make_wheel({"foo/library.so": LIBRARY, "foo/__init__.py": "x = 1\n"}, info=RECORD)
    inflated = Bench(tmp_path / "other").build([wheel])
    inflate = ZipArchive._inflate

    def small_alone(inflater, raw, member):
        assert not member.name.endswith(".so")
        return inflate(inflater, raw, member)

    monkeypatch.setattr(ZipArchive, "_inflate", staticmethod(small_alone))
    assert InstalledCopy.find(str(installed), len(LIBRARY)), "this file system does not tell"
    assert bench.build([wheel]) == inflated
    assert bench.tree(inflated)[f"{SITE}/foo/library.so"] == (LIBRARY, 0o644)


@pytest.mark.parametrize("there", [LIBRARY[::-1], LIBRARY[1:], b"", None])
def test_another_file_in_its_place_changes_nothing(bench, make_wheel, installed, tmp_path, there):
    if there is None:
        installed.unlink()
    else:
        installed.write_bytes(there)
    wheel = make_wheel({"foo/library.so": LIBRARY}, info=RECORD)
    (layer,) = bench.build([wheel])
    assert (layer,) == Bench(tmp_path / "other").build([wheel])
    assert bench.tree([layer])[f"{SITE}/foo/library.so"] == (LIBRARY, 0o644)


@pytest.mark.usefixtures("installed")
def test_a_wheel_that_is_not_what_is_installed_is_refused(bench, make_wheel):
    pin, path = make_wheel({"foo/library.so": LIBRARY}, info=RECORD)
    with ZipArchive(path) as archive:
        (member,) = [each for each in archive.members if each.name.endswith(".so")]
    data = bytearray(path.read_bytes())
    data[member.offset + 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(WheelHashMismatch):
        bench.build([(pin, path)])
    assert leaves_nothing(bench)


def test_what_is_remembered_of_a_layer_that_vanished_need_not_be_true(bench, make_wheel):
    wheel = make_wheel({"foo.py": "x = 1\n" * 500})
    (layer,) = bench.build([wheel])
    path = bench.layout.path(layer.digest)
    data = path.read_bytes()
    path.unlink()
    (memory,) = filter(Path.is_file, (bench.root / "memory").iterdir())
    memory.write_bytes(memory.read_bytes().replace(layer.digest.encode(), b"sha256:" + b"0" * 64))
    assert bench.build([wheel]) == (layer,)
    assert path.read_bytes() == data
