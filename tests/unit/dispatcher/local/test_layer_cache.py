"""Unpacked layers are whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.errors import LayerUnsafe
from dispatcher.local.image import StoredLayer
from dispatcher.local.layer_cache import LayerCache
from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, DiskFull
from tests import file_systems

ROOT = Path(__file__).parents[4]


@pytest.fixture
def layers(bench) -> LayerCache:
    return LayerCache(bench.places.state / "layers", bench.layout)


def stored(layer, **changes) -> StoredLayer:
    facts = {"digest": layer.digest, "diff_id": layer.diff_id, "size": layer.size}
    return StoredLayer(**(facts | changes))


def left(layers: LayerCache) -> list[str]:
    return [path.name for path in layers.root.iterdir() if path.suffix != ".lock"]


def test_a_layer_is_unpacked_once(bench, layers):
    layer = stored(bench.layer({"/workspace/a": "1"}))
    assert layers.missing([layer, layer]) == [layer]
    layers.unpack([layer, layer])
    assert layers.missing([layer]) == []
    first = layers.path(layer).stat().st_ino
    bench.layout.path(layer.digest).unlink()
    layers.unpack([layer])
    assert layers.path(layer).stat().st_ino == first


def test_an_altered_layer_is_named_whatever_is_wrong_with_it(bench, layers):
    for position in (0, 20, 300, -20, -1):
        layer = stored(bench.layer({"/workspace/a": f"{position}" * 1000}))
        path = bench.layout.path(layer.digest)
        data = bytearray(path.read_bytes())
        data[position] ^= 1
        path.write_bytes(data)
        with pytest.raises(BlobAltered):
            layers.unpack([layer])
        assert left(layers) == []


def test_a_layer_that_is_gone_is_missing(bench, layers):
    layer = stored(bench.layer({"/workspace/a": "1"}))
    bench.layout.path(layer.digest).unlink()
    with pytest.raises(BlobMissing):
        layers.check([layer])
    with pytest.raises(BlobMissing):
        layers.unpack([layer])
    assert left(layers) == []


def test_a_config_that_names_another_tar_is_refused(bench, layers):
    layer = stored(bench.layer({"/workspace/a": "1"}), diff_id=Digest.of(b"another"))
    with pytest.raises(LayerUnsafe, match="not the one the config names"):
        layers.unpack([layer])
    assert left(layers) == []


def test_what_a_killed_process_left_is_not_believed(bench, layers):
    layer = stored(bench.layer({f"/workspace/{n}": os.urandom(1000) for n in range(3000)}))
    code = (
        "import sys; from pathlib import Path\n"
        "from dispatcher.local.image import StoredLayer\n"
        "from dispatcher.local.layer_cache import LayerCache\n"
        "from packer.images.layout import Layout; from packer.digest import Digest\n"
        "layer = StoredLayer(digest=Digest(sys.argv[3]), diff_id=Digest(sys.argv[4]), size=1)\n"
        "LayerCache(Path(sys.argv[1]), Layout(Path(sys.argv[2]))).unpack([layer])\n"
    )
    arguments = [str(layers.root), str(bench.layout.root), layer.digest, layer.diff_id]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT)
    half = layers.root / f".{layer.diff_id.hex}.incoming/workspace/100"
    bench.until(half.exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert layers.missing([layer]) == [layer]
    layers.unpack([layer])
    assert len(list((layers.path(layer) / "workspace").iterdir())) == 3000
    assert left(layers) == [layer.diff_id.hex]


def test_two_at_once_agree(bench, layers):
    from concurrent.futures import ThreadPoolExecutor

    many = [stored(bench.layer({f"/workspace/{n}": f"{n}" * 9999})) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(layers.unpack, [many] * 4):
            pass
    assert sorted(left(layers)) == sorted(layer.diff_id.hex for layer in many)


def test_a_full_disk_is_said_and_leaves_nothing(bench, tmp_path):
    with file_systems.small(tmp_path / "small", "1m") as small:
        layers = LayerCache(small / "layers", bench.layout)
        layer = stored(bench.layer({"/workspace/a": os.urandom(2 << 20)}))
        with pytest.raises(DiskFull):
            layers.unpack([layer])
        assert left(layers) == []
