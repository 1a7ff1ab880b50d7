"""Editable installs, inside the project and outside: they import from the image's source."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.errors import DistUnresolvable, EditableOutsideProject
from tests.e2e.environment.conftest import Packing, Venv, inside, source

STRICT = "--config-settings=editable_mode=strict"


@pytest.mark.parametrize(
    ("by", "backend", "flat"),
    [
        ("uv", "setuptools", False),
        ("pip", "setuptools", True),
        ("pip", "hatchling", False),
        ("uv", "uv_build", False),
    ],
)
def test_inside_the_project(
    tmp_path: Path, packing: Packing, by: str, backend: str, *, flat: bool
) -> None:
    patterns = tuple(f"/{'inner' if flat else 'src'}/**/{kind}" for kind in ("*.py", "*.so"))
    project = source(tmp_path / "project", "inner", backend, flat=flat)
    if flat:
        # A second top-level folder makes setuptools write a finder instead of a path.
        settings = project / "pyproject.toml"
        settings.write_text(settings.read_text() + '[tool.setuptools]\npackages = ["inner"]\n')
    venv = Venv(tmp_path / "venv", by=by)
    venv.install("-e", project)
    resolved = packing.resolve(venv.python, project)
    assert not resolved.editables
    assert resolved.always == patterns
    arrival = next(each for each in resolved.report.arrivals if each.name == "inner")
    assert (arrival.how, arrival.why) == ("editable", "its source is packed: in the project")
    for data in resolved.files.values():
        assert not isinstance(data, bytes) or str(tmp_path).encode() not in data
    root = packing.unpack(resolved, venv.python)
    (root / "workspace").symlink_to(project)
    where = "import inner; inner.main(); print(inner.__file__)"
    said, file = inside(root, venv.python, where).split("\n")[:2]
    assert said == "this is inner"
    assert file.startswith(f"{root}/workspace/")
    inside(root, venv.python, "from importlib.metadata import version; version('inner')")


@pytest.mark.parametrize("backend", ["setuptools", "hatchling", "uv_build"])
def test_outside_the_project(tmp_path: Path, packing: Packing, backend: str) -> None:
    venv = Venv(tmp_path / "venv")
    outer = source(tmp_path / "outer", "outer", backend)
    venv.install("-e", outer)
    resolved = packing.resolve(venv.python, tmp_path / "project")
    (tree,) = resolved.editables
    assert (tree.name, tree.source, tree.in_image) == (
        "outer",
        outer,
        "/opt/sendoff/editable/outer",
    )
    assert tree.always == ("/src/**/*.py", "/src/**/*.so")
    root = packing.unpack(resolved, venv.python)
    where = "import outer; print(outer.__file__)"
    assert inside(root, venv.python, where).startswith(f"{root}/opt/sendoff/editable/outer/src/")


def test_the_lock_is_the_same_wherever_the_source_is(tmp_path: Path) -> None:
    locks = []
    for place in ("here", "far/away"):
        (tmp_path / place).mkdir(parents=True)
        venv = Venv(tmp_path / place / "venv")
        venv.install("-e", source(tmp_path / place / "outer", "outer", "hatchling"))
        packing = Packing(tmp_path / place / "packing")
        locks.append(packing.resolve(venv.python, tmp_path / place / "project").lock)
    assert locks[0] == locks[1]


def test_around_the_project_its_packages_alone_are_packed(tmp_path: Path, packing: Packing) -> None:
    around = source(tmp_path / "around", "around", "hatchling")
    venv = Venv(tmp_path / "venv")
    venv.install("-e", around)
    (tree,) = packing.resolve(venv.python, around / "experiments").editables
    assert tree.source == around / "src"
    with pytest.raises(EditableOutsideProject) as refused:
        packing.resolve(venv.python, around / "src" / "within")
    assert refused.value.fix().startswith(f"pack from there: cd {around}")


def test_a_strict_editable_is_refused_by_name(tmp_path: Path, packing: Packing) -> None:
    project = source(tmp_path / "project", "strict", "setuptools")
    venv = Venv(tmp_path / "venv", by="pip")
    venv.install(STRICT, "-e", project)
    with pytest.raises(DistUnresolvable) as refused:
        packing.resolve(venv.python, project)
    assert refused.value.name == "strict"


def test_one_from_before_pep_660_is_refused_by_name(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    (venv.site / "old.egg-link").write_text(f"{tmp_path}\n.")
    (venv.site / "easy-install.pth").write_text(f"{tmp_path}\n")
    with pytest.raises(DistUnresolvable) as refused:
        packing.resolve(venv.python, tmp_path / "project")
    assert refused.value.name == "old"


def test_one_that_builds_at_import_is_refused_by_name(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    venv.install("-e", source(tmp_path / "source", "hooked", "hatchling"))
    (path,) = venv.site.glob("*hooked*.pth")
    path.unlink()
    path.write_text("import _hooked_loader_of_its_own\n")
    with pytest.raises(DistUnresolvable) as refused:
        packing.resolve(venv.python, tmp_path / "project")
    assert refused.value.seen == "import _hooked_loader_of_its_own"
