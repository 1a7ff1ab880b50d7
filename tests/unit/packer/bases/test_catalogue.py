from __future__ import annotations

from pathlib import Path

import pytest

from packer.bases import catalogue as catalogues
from packer.bases.errors import BaseNotInCatalogue, CatalogueMalformed


def problem(text: str) -> CatalogueMalformed:
    with pytest.raises(CatalogueMalformed) as caught:
        catalogues.parse(text)
    return caught.value


def test_the_one_that_comes_with_sendoff_is_sound() -> None:
    found = catalogues.load(catalogues.home())
    assert list(found.bases) == ["cpu", "cuda-runtime", "cuda-devel", "cuda-devel-12"]
    assert {each for one in found.bases.values() for each in one.pythons} == {
        "3.11",
        "3.12",
        "3.13",
    }
    folder = catalogues.home() / "cuda-devel"
    for name, compiler in (
        ("cuda-devel", "toolkit-{}.txt: nvidia-cuda-nvcc=="),
        ("cuda-devel-12", "compiler-{}.txt: nvidia-cuda-toolkit_"),
    ):
        file, _, words = compiler.format(found.bases[name].cuda).partition(": ")
        assert words in (folder / file).read_text()
    assert found.with_cuda("12") == ("cuda-devel-12",)
    assert found.with_cuda("11") == ()


def test_an_entry_is_found_by_its_name(text: str) -> None:
    found = catalogues.parse(text)
    assert found.base("cuda").driver == "580.65"
    with pytest.raises(BaseNotInCatalogue) as caught:
        found.base("cudda")
    assert "did you mean cuda?" in caught.value.fix()


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        ('driver = "580.65"', 'driver = "new"', "bases.cuda", "'new' is no version"),
        ('driver = "580.65"', 'drivers = "580"', "bases.cuda", "unknown field `drivers`"),
        ('on = "cpu"', 'on = "cpus"', "bases.cuda", "no base 'cpus'"),
        ('on = "cpu"', 'on = "cuda"', "bases.cuda", "upon itself"),
        ('pythons = ["3.11"]', 'pythons = ["3.13"]', "bases.cuda", "no Python 3.13"),
        ('pythons = ["3.11", "3.12"]', 'pythons = ["3.12"]', "bases.cuda", "has no Python 3.11"),
        ('pythons = ["3.11"]', "pythons = []", "bases.cuda", "no pythons"),
        ('folder = "cpu"', 'folder = "../cpu"', "bases.cpu", "lower-case"),
        ('folder = "cpu"\n', "", "bases.cpu", "missing required field `folder`"),
        ('"3.11.2"', '"3.12.2"', "pythons.3.11", "none of 3.11"),
        ('uv = "0.9.0"', "", "pythons.3.12", "either packages or uv"),
        ('["python3"]', '["python3 ; rm"]', "pythons.3.11", "is no package"),
        ('root = "plain"', 'root = "plane"', "pythons.3.12", "no root 'plane'"),
        ("sha256:22", "sha256:2", "roots.plain", "not a sha256 digest"),
        ("20250102T030405Z", "2025-01-02", "roots.bookworm", "YYYYMMDD"),
        ('glibc = "2.36"', 'glibc = "two"', "roots.bookworm", "'two' is no version"),
        ("[roots.plain]", "[root.plain]", "root", "belongs here"),
        ("[roots.plain]", "[roots.plain", "", "line 8"),
    ],
)
def test_an_entry_that_has_no_meaning_is_named(
    text: str, old: str, new: str, place: str, why: str
) -> None:
    assert old in text
    found = problem(
        text.replace(old, new, 1)
        if old != 'pythons = ["3.11"]'
        else text[::-1].replace(old[::-1], new[::-1], 1)[::-1]
    )
    assert found.place == place
    assert why in found.why()
    assert "nothing was built" in found.fix()


def test_a_base_without_a_dockerfile_is_named(folder: Path) -> None:
    (folder / "cuda" / "Dockerfile").unlink()
    with pytest.raises(CatalogueMalformed) as caught:
        catalogues.load(folder)
    assert caught.value.place == "bases.cuda"


def test_a_folder_without_a_catalogue_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CatalogueMalformed, match="No such file"):
        catalogues.load(tmp_path)
