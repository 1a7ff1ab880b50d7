"""A small catalogue, and images made by hand."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from packer.digest import Digest
from packer.images.layout import Layout
from tests.unit.packer.registry.conftest import no_login, path, server  # noqa: F401 - fixtures

CATALOGUE = """\
# A site's own.
[roots.bookworm]
image = "registry.example/debian:bookworm-slim"  # where we mirror it
digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
snapshot = "20250102T030405Z"
glibc = "2.36"

[roots.plain]
image = "registry.example/plain:1"
digest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"

[pythons."3.11"]
root = "bookworm"
version = "3.11.2"
packages = ["python3"]

[pythons."3.12"]
root = "plain"
version = "3.12.1"
uv = "0.9.0"

[bases.cpu]
folder = "cpu"
about = "without a GPU"
pythons = ["3.11", "3.12"]

[bases.cuda]
folder = "cuda"
on = "cpu"
about = "with one"
cuda = "13.0"
driver = "580.65"
pythons = ["3.11"]
"""


@pytest.fixture
def text() -> str:
    return CATALOGUE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The catalogue with a Dockerfile for each base."""
    home = tmp_path / "catalogue"
    for name in ("cpu", "cuda"):
        (home / name).mkdir(parents=True)
        (home / name / "Dockerfile").write_text("ARG ROOT\nFROM ${ROOT}\n")
    (home / "catalogue.toml").write_text(CATALOGUE)
    return home


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, data: bytes = b"", **fields: object) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


@pytest.fixture
def image(layout: Layout) -> Callable[..., Digest]:
    """Write an image with one layer of these members."""

    def write(*members: Member, level: int = 6, **settings: object) -> Digest:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            for info, data in members:
                archive.addfile(info, io.BytesIO(data))
        packed = gzip.compress(plain.getvalue(), level, mtime=0)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": settings,
                "rootfs": {"type": "layers", "diff_ids": [Digest.of(plain.getvalue())]},
            }
        ).encode()
        described = [
            {"mediaType": kind, "digest": layout.write(data), "size": len(data)}
            for kind, data in (
                ("application/vnd.oci.image.config.v1+json", config),
                ("application/vnd.oci.image.layer.v1.tar+gzip", packed),
            )
        ]
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described[0],
            "layers": described[1:],
        }
        return layout.write(json.dumps(manifest).encode())

    return write
