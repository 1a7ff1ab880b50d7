from __future__ import annotations

import gzip
import importlib.util
import io
import marshal
import sys
import tarfile
from pathlib import Path

from packer.environment import interpreter
from packer.images.layout import Layout
from packer.layers import program_layer
from packer.layers.layer_memory import LayerMemory

FILES = {"/opt/p/__main__.py": b"import sys\n", "/opt/p/a/b.py": b"x = 1\n", "/opt/p/c.txt": b"-"}


def test_every_source_has_its_bytecode(tmp_path: Path):
    layout = Layout(tmp_path / "layout")
    known = LayerMemory(tmp_path / "memory", layout)
    python = interpreter.describe(Path(sys.executable), tmp_path / "cache")
    layer = program_layer.build(FILES, python, layout, known)
    data = gzip.decompress(layout.read(layer.digest))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
    tag = sys.implementation.cache_tag
    assert set(found) == {
        "opt/p/__main__.py",
        f"opt/p/__pycache__/__main__.{tag}.pyc",
        "opt/p/a/b.py",
        f"opt/p/a/__pycache__/b.{tag}.pyc",
        "opt/p/c.txt",
    }
    pyc = found[f"opt/p/a/__pycache__/b.{tag}.pyc"]
    # Believed as it is (PEP 552, an unchecked hash), and of the file's place in the image.
    assert pyc[:8] == importlib.util.MAGIC_NUMBER + b"\x01\0\0\0"
    assert marshal.loads(pyc[16:]).co_filename == "/opt/p/a/b.py"  # noqa: S302 - made above
    assert program_layer.build(dict(reversed(FILES.items())), python, layout, known) == layer
