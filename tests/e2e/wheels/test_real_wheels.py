"""The layers of real wheels against what uv makes of them, file by file."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import posixpath
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT

ROOT = "opt/sendoff/env/"
SITE = "lib/python3.11/site-packages/"
INFO = re.compile(SITE + r"[^/]+\.dist-info")
# Of the virtual environment itself.
OF_THE_VENV = {".gitignore", ".lock", "CACHEDIR.TAG", "pyvenv.cfg"}
OF_ITS_SITE = {"_virtualenv.pth", "_virtualenv.py"}
OF_ITS_BIN = {
    "activate", "activate.bat", "activate.csh", "activate.fish", "activate.nu", "activate.ps1",
    "activate.xsh", "activate_this.py", "deactivate.bat", "pydoc.bat",
}  # fmt: skip
# Of the installer: the image has an INSTALLER and a RECORD of its own.
OF_THE_INSTALLER = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}

# How uv writes "python" in a script with an encoding of its own.
_SPELT_OUT = re.compile(rb'"\$\(printf %b [^)]*\)"')

Tree = dict[str, tuple[str, int]]


def is_wheel_content(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if INFO.fullmatch(folder) and name in OF_THE_INSTALLER:
        return False
    if name.endswith(".pyc") or path in OF_THE_VENV:
        return False
    if folder == "bin" and name in OF_ITS_BIN:
        return False
    return not (folder + "/" == SITE and name in OF_ITS_SITE)


def installed_tree(venv: Path) -> Tree:
    tree = {}
    for path in venv.rglob("*"):
        name = str(path.relative_to(venv))
        if path.is_file() and not path.is_symlink() and is_wheel_content(name):
            digest = hashlib.sha256(_SPELT_OUT.sub(b"'python'", path.read_bytes())).hexdigest()
            tree[name] = digest, path.stat().st_mode & 0o777
    return tree


@pytest.fixture(scope="module")
def packed(scientific_wheels, python, tmp_path_factory):
    root = tmp_path_factory.mktemp("packed")
    layout = Layout(root / "layout")
    wheels = scientific_wheels
    layers = build_layers(wheels.lock, {}, wheels.fetch, python, layout, root / "memory", SILENT)
    return layout, layers


@pytest.fixture(scope="module")
def packed_files(packed) -> dict[str, tuple[bytes, int]]:
    layout, layers = packed
    files = {}
    for layer in layers:
        with tarfile.open(layout.verify(layer.digest)) as archive:
            for member in archive:
                if member.isfile():
                    data = archive.extractfile(member).read()
                    kept = data if "dist-info" in member.name else b""
                    digest = hashlib.sha256(data).hexdigest()
                    files[member.name.removeprefix(ROOT)] = kept, digest, member.mode
    return files


def test_there_are_many(scientific_wheels):
    assert len(scientific_wheels.by_pin) >= 70


def test_the_tree_is_the_one_uv_installs(packed_files, sandbox):
    ours = {
        path: (digest, mode)
        for path, (_, digest, mode) in packed_files.items()
        if is_wheel_content(path)
    }
    theirs = installed_tree(sandbox)
    assert ours.keys() - theirs.keys() == set()
    assert theirs.keys() - ours.keys() == set()
    assert {path: ours[path] for path in ours if ours[path] != theirs[path]} == {}


def test_every_source_has_bytecode_but_those_of_test_suites(packed_files):
    sources = {path for path in packed_files if path.startswith(SITE) and path.endswith(".py")}
    tests = {path for path in sources if "/tests/" in path}
    without = set()
    for path in sources:
        folder, _, name = path.rpartition("/")
        if f"{folder}/__pycache__/{name[:-3]}.cpython-311.pyc" not in packed_files:
            without.add(path)
    assert len(tests) > 1000
    assert tests <= without
    # Templates and fixtures that are not Python.
    assert len(without - tests) < 10, without - tests


def test_records_list_what_is_there(packed_files, sandbox):
    records = [path for path in packed_files if INFO.fullmatch(path.removesuffix("/RECORD"))]
    assert len(records) >= 70
    for record in records:
        text = io.StringIO(packed_files[record][0].decode(), newline="")
        rows = {row[0]: row for row in csv.reader(text)}
        for path, digest, size in rows.values():
            if path == record.removeprefix(SITE):
                assert (digest, size) == ("", "")
                continue
            real = posixpath.normpath(SITE + path)
            raw = bytes.fromhex(packed_files[real][1])
            assert digest == f"sha256={_base64(raw)}", path
        theirs = csv.reader(io.StringIO((sandbox / record).read_text(), newline=""))
        dropped = {f"{Path(record).parent.name}/{name}" for name in OF_THE_INSTALLER}
        expected = {row[0] for row in theirs if not row[0].endswith(".pyc")} - dropped
        assert set(rows) - dropped == expected


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_gzip_and_gnu_tar_read_the_layers(packed):
    layout, layers = packed
    for layer in layers:
        path = layout.path(layer.digest)
        plain = hashlib.sha256()
        with gzip.open(path) as stream:
            while piece := stream.read(1 << 20):
                plain.update(piece)
        assert plain.hexdigest() == layer.diff_id.hex
        subprocess.run(["gzip", "--test", path], check=True)
        listed = subprocess.run(
            ["tar", "--list", "--gzip", "--file", path], check=True, capture_output=True
        )
        assert not listed.stderr


def test_scripts_run_and_packages_import_from_the_tree(packed, python, tmp_path):
    layout, layers = packed
    for layer in layers:
        command = ["tar", "--extract", "--gzip", "--file", layout.path(layer.digest)]
        subprocess.run([*command, "--directory", tmp_path], check=True)
    env = tmp_path / ROOT
    (env / "bin" / "python").symlink_to(python.base_executable)
    home = Path(python.base_executable).parent
    (env / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    program = (
        "import numpy, scipy.stats, pandas, sklearn.linear_model, matplotlib.pyplot, yaml, h5py\n"
        "import importlib.metadata as m, sys\n"
        "assert 'numpy' in {d.name for d in m.distributions()}\n"
        "assert all(f.locate().exists() for f in m.files('scipy'))\n"
        "print(numpy.__cached__)"
    )
    done = subprocess.run(
        [env / "bin" / "python", "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    assert done.stdout.strip().endswith("numpy/__pycache__/__init__.cpython-311.pyc")
    version = subprocess.run(
        [env / "bin" / "f2py", "-v"], capture_output=True, text=True, check=False
    )
    assert version.stdout.strip() == "2.1.3", version.stderr
