"""Files that tell Python where source is, with the paths of the image in them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from packer.environment import editable
from packer.environment.distribution import Distribution
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile, look
from packer.errors import DistUnresolvable, EditableGone

PACKAGES = "lib/python3.11/site-packages"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("src/pkg", "src/lib"):
        (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "project" / "src" / "single.py").write_text("")
    return tmp_path / "project"


def installed(project: Path, files: dict[str, str]) -> Installed:
    site = project.parent / "site"
    site.mkdir()
    for name, text in files.items():
        (site / name).write_text(text)
    found = Distribution(
        name="pkg",
        version="1",
        site=str(site),
        metadata="pkg-1.dist-info",
        source={"url": project.as_uri(), "dir_info": {"editable": True}},
    )
    looked = (look(f"{site}/{name}", f"{PACKAGES}/{name}") for name in files)
    return Installed(distribution=found, files=tuple(file for file in looked if file))


def test_a_finders_paths_become_expressions(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = (
        "é = 'non-ASCII before'; MAPPING: dict[str, str] = "
        f"{{'pkg': {str(project / 'src/pkg')!r}, 'single': {str(project / 'src/single.py')!r}}}\n"
        f"NAMESPACES: dict[str, list[str]] = {{'lib': [{str(project / 'src/lib')!r}]}}\n"
        "OTHER = '/'\n"
    )
    files = {"__editable___pkg_finder.py": finder, "__editable__.pkg-1.pth": "import x\n"}
    files["__editable__.pkg-1.pth"] = (
        "import __editable___pkg_finder; __editable___pkg_finder.install()\n"
    )
    in_place = editable.of_distribution(installed(project, files), project, PACKAGES)
    made = in_place.replaced[f"{PACKAGES}/__editable___pkg_finder.py"]
    assert str(tmp_path).encode() not in made
    (tmp_path / "made.py").write_bytes(made)
    for root in ("", "/some/root"):
        monkeypatch.setenv("SENDOFF_ROOT", root)
        content = runpy.run_path(str(tmp_path / "made.py"))
        assert content["MAPPING"] == {
            "pkg": root + "/workspace/src/pkg",
            "single": root + "/workspace/src/single.py",
        }
        assert content["NAMESPACES"] == {"lib": [root + "/workspace/src/lib"]}
        assert content["OTHER"] == "/"
    assert in_place.always == (
        "/src/lib/**/*.py",
        "/src/lib/**/*.so",
        "/src/pkg/**/*.py",
        "/src/pkg/**/*.so",
        "/src/single.py",
    )
    assert not in_place.trees


def test_the_project_itself_on_the_path_packs_its_packages_alone(project: Path) -> None:
    (project / "flat").mkdir()
    (project / "flat" / "__init__.py").write_text("")
    files = {"_pkg.pth": f"# comment\n\n{project}\n../relative\n/not/there\n./beside\n"}
    in_place = editable.of_distribution(installed(project, files), project, PACKAGES)
    line = in_place.replaced[f"{PACKAGES}/_pkg.pth"].decode()
    assert line == (
        "beside\nimport sys; sys.path.extend("
        '[__import__("os").environ.get("SENDOFF_ROOT", "") + \'/workspace\'])\n'
    )
    assert in_place.always == ("/*.py", "/*.so", "/flat/**/*.py", "/flat/**/*.so")


def test_lines_are_read_as_python_does_relative_to_the_pth_s_directory(project: Path) -> None:
    site = project.parent / "site"
    lines = f"import sys\n../project/src\n../far\nbeside\n{site}/beside/deep\n"
    (project.parent / "far").mkdir()
    (file,) = installed(project, {"dev.pth": lines}).files
    in_place = editable.of_pth(file, project)
    root = '__import__("os").environ.get("SENDOFF_ROOT", "")'
    assert in_place.replaced[file.path].decode() == (
        "import sys\nbeside\nbeside/deep\nimport sys; sys.path.extend("
        f"[{root} + '/workspace/src', {root} + '/opt/sendoff/editable/dev'])\n"
    )
    (tree,) = in_place.trees
    assert tree.source == project.parent / "far"


def test_a_pth_below_a_package_is_no_path_file() -> None:
    def file(path: str) -> InstalledFile:
        return InstalledFile(path=path, source="", size=0, stamp=(0, 0, 0), executable=False)

    assert editable.is_pth(file(f"{PACKAGES}/dev.pth"), PACKAGES)
    assert not editable.is_pth(file(f"{PACKAGES}/model/weights.pth"), PACKAGES)


def test_a_source_that_was_moved_is_told_with_its_distribution(project: Path) -> None:
    found = installed(project, {"pkg.pth": f"{project}\n"})
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()
    project.rename(project.parent / "moved")
    with pytest.raises(EditableGone) as gone:
        editable.of_distribution(found, elsewhere, PACKAGES)
    assert str(project) in gone.value.why()
    assert gone.value.fix().endswith("python -m pip uninstall pkg")


@pytest.mark.parametrize(
    "files",
    [
        {"pkg.pth": "import a_hook_of_its_own\n"},
        {"_pkg_editable_loader.py": "", "pkg.pth": "import _pkg_editable_loader\n"},
        {"pkg.pth": "# nothing\n"},
    ],
)
def test_what_cannot_work_elsewhere_is_refused(project: Path, files: dict[str, str]) -> None:
    with pytest.raises(DistUnresolvable) as refused:
        editable.of_distribution(installed(project, files), project, PACKAGES)
    assert refused.value.name == "pkg"
    assert refused.value.fix().endswith("python -m pip install .")
