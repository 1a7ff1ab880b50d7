from __future__ import annotations

import lzma
import re
from pathlib import Path

import pytest

from packer.bases import catalogue as catalogues
from packer.bases import pins
from packer.bases.errors import CatalogueMalformed
from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.registries.images import make_image
from tests.registries.process import RegistryProcess

EMPTY = lzma.compress(b"")
NEW = "sha256:" + "9" * 64
PINNED = """\
# A comment.
nvidia-cuda-nvcc==13.0.1 --hash=sha256:{old}
nvidia-nvvm==13.0.1 --hash=sha256:{old}
""".format(old="1" * 64)
COMPILED = """\
nvidia-nvvm==13.0.9 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
nvidia-cuda-nvcc==13.0.8 \\
    --hash=sha256:{a}
""".format(a="a" * 64, b="b" * 64)


def test_one_line_changes_and_nothing_else(text: str) -> None:
    changed = pins.rewritten(text, "roots.plain", "digest", NEW)
    old, new = text.splitlines(), changed.splitlines()
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [
        (old[9], f'digest = "{NEW}"')
    ]
    assert pins.rewritten(text, 'pythons."3.12"', "uv", "1.0") == text.replace("0.9.0", "1.0")


@pytest.mark.parametrize(
    ("section", "key"), [("roots.other", "digest"), ("roots.plain", "snapshot")]
)
def test_what_is_not_there_is_not_written_elsewhere(text: str, section: str, key: str) -> None:
    with pytest.raises(KeyError):
        pins.rewritten(text, section, key, "x")


def test_requirements_keep_their_order_and_comments() -> None:
    asked: list[str] = []

    def compiled(wanted: str) -> str:
        asked.append(wanted)
        return COMPILED

    found = pins.requirements(
        PINNED.replace("nvvm==13.0.1", "nvvm==13.0.1.post1"), "13.0", compiled
    )
    assert asked == ["nvidia-cuda-nvcc==13.0.*\nnvidia-nvvm==13.0.*\n"]
    a, b = "a" * 64, "b" * 64
    assert found.splitlines() == [
        "# A comment.",
        f"nvidia-cuda-nvcc==13.0.8 --hash=sha256:{a}",
        f"nvidia-nvvm==13.0.9 --hash=sha256:{a} --hash=sha256:{b}",
    ]


PACKAGED = """\
# A comment.
pool/non-free/n/nvcc/nvcc_12.4.1-1_amd64.deb {old} trixie
""".format(old="1" * 64)
INDEX = """\
Package: nvcc-doc
Version: 12.4.9-1
Filename: pool/non-free/n/nvcc/nvcc-doc_12.4.9-1_all.deb
SHA256: {b}

Package: nvcc
Version: {{version}}
Description: a compiler
 Filename: of another line
Filename: pool/non-free/n/nvcc/nvcc_{{version}}_amd64.deb
SHA256: {a}
""".format(a="a" * 64, b="b" * 64)


@pytest.mark.parametrize("version", ["12.4.9-1", "12.40.1-1"])
def test_a_package_stays_in_its_cuda_line(version: str) -> None:
    asked: list[str] = []

    def index(path: str) -> bytes:
        asked.append(path)
        return lzma.compress(INDEX.format(version=version).encode())

    found = pins.package(PACKAGED, "12.4", index)
    assert asked == ["dists/trixie/non-free/binary-amd64/Packages.xz"]
    pinned = f"pool/non-free/n/nvcc/nvcc_12.4.9-1_amd64.deb {'a' * 64} trixie"
    expected = ["# A comment.", pinned] if version == "12.4.9-1" else PACKAGED.splitlines()
    assert found.splitlines() == expected


def test_the_pinned_packages_can_be_rewritten() -> None:
    pinned = sorted(catalogues.home().glob("*/compiler-*.txt"))
    assert pinned
    for file in pinned:
        asked: list[str] = []
        text = file.read_text("utf-8")
        assert (
            pins.package(text, "0.0", lambda path, asked=asked: asked.append(path) or EMPTY) == text
        )
        assert len(asked) == 1


def test_a_catalogue_is_pinned_to_what_tags_stand_for(
    server: RegistryProcess, folder: Path, tmp_path: Path, layout: Layout, path: str
) -> None:
    repository = Repository(host=server.host, path=path)
    digests = {}
    registry = Registry(repository, Access(patience=5.0), tmp_path / "cache")
    for name in ("bookworm-slim", "1"):
        digests[name] = make_image(layout, command=name)
        registry.push(
            PushRequest(layout=layout.root, images=(digests[name],), tags={name: digests[name]})
        )
    file = folder / "catalogue.toml"
    text = file.read_text().replace("registry.example/debian", str(repository))
    # Without uv, which would be looked up in the world.
    text = text.replace("registry.example/plain", str(repository)).replace(
        'uv = "0.9.0"', 'packages = ["python3"]'
    )
    file.write_text(text)
    changed = pins.update(folder, "20260101T000000Z", Access(patience=5.0), tmp_path / "cache")
    found = catalogues.load(folder)
    assert found.roots["bookworm"].digest == digests["bookworm-slim"]
    assert found.roots["plain"].digest == digests["1"]
    assert found.roots["bookworm"].snapshot == "20260101T000000Z"
    assert found.roots["plain"].snapshot == ""
    assert "# where we mirror it" in file.read_text()
    assert len(changed) == 3
    assert pins.update(folder, "20260101T000000Z", Access(patience=5.0), tmp_path / "cache") == ()


def test_a_heading_that_is_written_in_another_way_is_named(
    server: RegistryProcess, folder: Path, tmp_path: Path, layout: Layout, path: str
) -> None:
    repository = Repository(host=server.host, path=path)
    digest = make_image(layout, command="other")
    Registry(repository, Access(patience=5.0), tmp_path / "cache").push(
        PushRequest(layout=layout.root, images=(digest,), tags={"1": digest})
    )
    file = folder / "catalogue.toml"
    text = re.sub("registry.example/[a-z]+:[a-z0-9-]+", f"{repository}:1", file.read_text())
    file.write_text(text.replace("[roots.plain]", '[roots."plain"]'))
    with pytest.raises(CatalogueMalformed, match=r"\[roots.plain\] in the catalogue") as caught:
        pins.update(folder, "20260101T000000Z", Access(patience=5.0), tmp_path / "cache")
    assert caught.value.evidence() == str(file)
    assert digest not in file.read_text()


def test_a_python_of_uv_is_the_newest_that_its_uv_installs(folder: Path) -> None:
    catalogue = catalogues.load(folder)
    asked = []

    def python(minor: str, uv: str) -> str:
        asked.append((minor, uv))
        return "3.12.99"

    lookups = pins.Lookups(digest_of=lambda _: NEW, uv=lambda: "1.2.3", python=python)
    changes = list(pins.updates(catalogue, "20260101T000000Z", lookups))
    assert asked == [("3.12", "1.2.3")]
    assert [each for each in changes if each[0].startswith("pythons")] == [
        ('pythons."3.12"', "uv", "1.2.3"),
        ('pythons."3.12"', "version", "3.12.99"),
    ]
    assert pins._newest_python("3.12", "0.9.0") == "3.12.11"
    assert pins._newest_python("3.99", "0.9.0") == ""


def test_the_program_says_what_it_cannot_find(
    server: RegistryProcess, folder: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "catalogue.toml"
    text = file.read_text().replace("registry.example/debian", f"{server.host}/{path}")
    file.write_text(text)
    assert pins.main(["--catalogue", str(folder)]) == 125
    assert "bookworm-slim is not in" in capsys.readouterr().err
    assert file.read_text() == text
