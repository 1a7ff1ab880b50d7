"""Sandboxes made by uv and pip, distributions to put into them, and an index to find them in."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import tarfile
import threading
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uv

from packer.environment import interpreter, materials
from packer.environment.materials import Resolved
from packer.environment.sandbox import Sandbox
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT
from tests.web_server import Handler, WebServer

UV = uv.find_uv_bin()
CLOSED = "http://127.0.0.1:9/simple"
"""An index that nobody serves: the discard port is closed."""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@functools.cache
def pip() -> Path:
    """A pip that is in none of the sandboxes."""
    place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sendoff-tests/pip"
    if not (place / "bin/pip").exists():
        run(UV, "venv", "-q", "--seed", "--clear", "--python", "3.11", place)
    return place / "bin/pip"


@dataclass
class Venv:
    """A virtual environment and what is done to it."""

    path: Path
    options: tuple[str, ...] = ()
    by: str = "uv"

    def __post_init__(self) -> None:
        run(UV, "venv", "-q", "--python", "3.11", *self.options, self.path)

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def site(self) -> Path:
        return self.path / "lib" / "python3.11" / "site-packages"

    def install(self, *what: str | Path) -> None:
        if self.by == "uv":
            run(UV, "pip", "install", "-q", "--python", self.python, *what)
        else:
            run(pip(), f"--python={self.python}", "install", "-q", *what)


def wheel(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    files: dict[str, str] | None = None,
    requires: tuple[str, ...] = (),
    scripts: tuple[str, ...] = (),
) -> Path:
    """A small wheel with these files."""
    stem = f"{name}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    metadata += "Provides-Extra: more\n"
    content = {
        **({f"{name}/__init__.py": f"value = {version!r}\n"} if files is None else files),
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if scripts:
        lines = "".join(f"{script}\n" for script in scripts)
        content[f"{stem}.dist-info/entry_points.txt"] = f"[console_scripts]\n{lines}"
    record = ""
    for path, text in content.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    content[f"{stem}.dist-info/RECORD"] = record + f"{stem}.dist-info/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in content.items():
            archive.writestr(member, text)
    return path


def source(folder: Path, name: str, backend: str, *, flat: bool = False) -> Path:
    """A project's source with one package and one command, for a build backend."""
    requires, build = {
        "setuptools": ("setuptools>=70", "setuptools.build_meta"),
        "hatchling": ("hatchling", "hatchling.build"),
        "uv_build": ("uv_build", "uv_build"),
    }[backend]
    package = folder / name if flat else folder / "src" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"def main():\n    print('this is {name}')\n")
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{build}"\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\nscripts = {{{name}-run = "{name}:main"}}\n'
    )
    return folder


@dataclass
class Index:
    """A package index on the loopback device."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    """File name → what is served."""
    hashes: dict[str, str] = field(default_factory=dict)
    """File name → the sha256 that the index tells, where it is not the true one."""
    failing: set[str] = field(default_factory=set)
    """Names that are answered with 503."""
    cut: set[str] = field(default_factory=set)
    """Names whose next answer ends in the middle."""
    stall: threading.Event | None = None
    """Until it is set, answers with wheels stop in the middle."""
    stalled: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None
    """Until it is set, nothing is answered."""
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        self.wheels[path.name] = path.read_bytes()

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        if self.hold:
            self.hold.wait(30)
        if path.startswith("/files/"):
            return self.wheels.get(path.removeprefix("/files/"))
        name = path.strip("/").rpartition("/")[2]
        links = [
            f'<a href="/files/{each}#sha256={self.hashes.get(each) or _sha256(data)}">{each}</a>'
            for each, data in self.wheels.items()
            if each.partition("-")[0].replace("_", "-").lower() == name
        ]
        return (
            f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None
        )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The index that pip's setting names."""
    served = Index()

    class Wheels(Handler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            data = served.answer(self.path)
            failing = self.path.rpartition("/")[2] in served.failing
            self.send_response(503 if failing else 200 if data is not None else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            name = self.path.rpartition("/")[2]
            if data and name in served.cut:
                served.cut.discard(name)
                data = data[: len(data) // 2]
            if served.stall and name.endswith(".whl"):
                self.wfile.write(data[: len(data) // 2])
                served.stalled.set()
                served.stall.wait(60)
                data = b""
            if self.command == "GET":
                self.wfile.write(data or b"")
            self.close_connection = True

    with WebServer(Wheels) as web:
        served.url = web.url
        monkeypatch.setenv("PIP_INDEX_URL", served.url + "/simple")
        yield served


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where pip's setting points."""
    monkeypatch.setenv("PIP_INDEX_URL", CLOSED)


@dataclass
class Packing:
    """One machine's packing: its cache, and trees made from locks."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def resolve(self, python: Path, project: Path, progress=SILENT) -> Resolved:
        found = interpreter.describe(python, self.cache)
        project.mkdir(exist_ok=True)
        sandbox = Sandbox(interpreter=found, project=project, cache=self.cache)
        return materials.resolve(sandbox, progress)

    def unpack(self, resolved: Resolved, python: Path) -> Path:
        """The environment image's tree, with the editable trees; the root to run from."""
        found = interpreter.describe(python, self.cache)
        layout = Layout(self.folder / "layout")
        layers = build_layers(
            resolved.lock,
            resolved.files,
            resolved.fetch,
            found,
            layout,
            self.folder / "memory",
            SILENT,
        )
        root = self.folder / "root"
        root.mkdir()
        for layer in layers:
            with tarfile.open(layout.path(layer.digest)) as archive:
                archive.extractall(root, filter="tar")
        for tree in resolved.editables:
            place = root / tree.in_image[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(tree.source)
        return root


@pytest.fixture
def packing(tmp_path: Path) -> Packing:
    return Packing(tmp_path / "packing")


def inside(root: Path, python: Path, code: str) -> str:
    """What `code` prints where nothing but the tree's packages can be imported."""
    site = root / "opt/sendoff/env/lib/python3.11/site-packages"
    real = python.resolve()
    start = f"import site; site.addsitedir({str(site)!r}); "
    return run(real, "-I", "-S", "-c", start + code, env={"SENDOFF_ROOT": str(root)}, cwd=root)
