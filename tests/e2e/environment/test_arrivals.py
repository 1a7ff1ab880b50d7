"""Each way a distribution can be installed: it arrives exactly, or is refused by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.environment import interpreter, materials, pylock
from packer.environment.sandbox import Sandbox
from packer.errors import DistUnresolvable
from packer.image_paths import PREFIX
from packer.progress import SILENT
from tests.e2e.environment.conftest import Index, Packing, Venv, inside, pip, run, source, wheel

SITE = "lib/python3.11/site-packages"


def how(resolved: materials.Resolved) -> dict[str, str]:
    return {each.name: each.how for each in resolved.report.arrivals}


def test_wheels_of_an_index_give_the_same_lock_however_they_were_installed(
    tmp_path: Path, packing: Packing
) -> None:
    by_uv = Venv(tmp_path / "one")
    by_uv.install("six==1.17.0", "charset-normalizer==3.4.3", "pip==25.2", "setuptools==80.9.0")
    by_pip = Venv(tmp_path / "elsewhere" / "two", by="pip")
    by_pip.install("pip==25.2", "setuptools==80.9.0")
    by_pip.install("charset-normalizer==3.4.3")
    by_pip.install("six==1.17.0")
    one = packing.resolve(by_uv.python, tmp_path / "project")
    two = Packing(tmp_path / "other").resolve(by_pip.python, tmp_path / "project2")
    assert one.lock == two.lock
    assert [pin.name for pin in one.lock.wheels] == [
        "charset-normalizer",
        "pip",
        "setuptools",
        "six",
    ]
    assert not one.lock.files
    assert not one.lock.overlay
    assert not one.lock.removed
    assert not one.report.warnings
    assert pylock.read(pylock.write(one.lock)) == one.lock
    root = packing.unpack(one, by_uv.python)
    assert "1.17.0" in inside(root, by_uv.python, "import six; print(six.__version__)")


@pytest.mark.usefixtures("no_index")
def test_a_local_wheel_arrives_although_its_file_is_gone(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    path = wheel(tmp_path / "wheels", "locally")
    venv.install(path)
    resolved = packing.resolve(venv.python, tmp_path / "project")
    path.unlink()
    (pin,) = resolved.lock.wheels
    assert (pin.name, pin.url, how(resolved)) == ("locally", "", {"locally": "wheel"})
    root = packing.unpack(resolved, venv.python)
    assert inside(root, venv.python, "import locally; print(locally.value)") == "1.0\n"


@pytest.mark.usefixtures("no_index")
def test_a_wheel_whose_file_was_gone_before_arrives_as_files(
    tmp_path: Path, packing: Packing
) -> None:
    venv = Venv(tmp_path / "venv")
    path = wheel(tmp_path / "wheels", "locally", scripts=("locally = locally:main",))
    venv.install(path)
    path.unlink()
    resolved = packing.resolve(venv.python, tmp_path / "project")
    (pin,) = resolved.lock.files
    assert pin.origin == "the wheel it was installed from is gone: locally-1.0-py3-none-any.whl"
    assert str(tmp_path) not in pylock.write(resolved.lock)
    root = packing.unpack(resolved, venv.python)
    assert inside(root, venv.python, "import locally; print(locally.value)") == "1.0\n"
    script = root / PREFIX[1:] / "bin" / "locally"
    assert script.read_bytes().startswith(b"#!/bin/sh\n")
    assert str(tmp_path).encode() not in script.read_bytes()


def test_a_wheel_from_a_url_is_pinned_to_it(tmp_path: Path, packing: Packing, index: Index) -> None:
    path = wheel(tmp_path / "wheels", "faraway")
    index.add(path)
    venv = Venv(tmp_path / "venv")
    url = f"{index.url}/files/{path.name}"
    venv.install(url)
    (pin,) = packing.resolve(venv.python, tmp_path / "project").lock.wheels
    assert (pin.url, pin.size) == (url, path.stat().st_size)


@pytest.mark.usefixtures("no_index")
def test_a_vcs_install_arrives_as_files_and_names_its_commit(
    tmp_path: Path, packing: Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = source(tmp_path / "repository", "versioned", "setuptools")
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm first"):
        run("git", *command.split(), cwd=project)
    commit = run("git", "rev-parse", "HEAD", cwd=project).strip()
    venv = Venv(tmp_path / "venv")
    with monkeypatch.context() as patch:
        patch.delenv("PIP_INDEX_URL")
        venv.install(f"git+file://{project}")
    resolved = packing.resolve(venv.python, tmp_path / "project")
    (pin,) = resolved.lock.files
    assert pin.origin == f"git+repository@{commit}"
    root = packing.unpack(resolved, venv.python)
    assert inside(root, venv.python, "import versioned; versioned.main()") == "this is versioned\n"


def test_a_directory_installed_in_full_arrives_as_files(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    venv.install(source(tmp_path / "there", "built", "hatchling"))
    resolved = packing.resolve(venv.python, tmp_path / "project")
    (pin,) = resolved.lock.files
    assert pin.origin == "directory there"
    paths = {file.path for file in pin.files}
    assert {f"{SITE}/built/__init__.py", "bin/built-run"} <= paths
    assert f"{SITE}/built-1.0.dist-info/direct_url.json" not in paths


def test_files_changed_deleted_and_added_by_hand(
    tmp_path: Path, packing: Packing, index: Index
) -> None:
    files = {"edited/__init__.py": "", "edited/kept.py": "a = 1\n", "edited/gone.py": ""}
    path = wheel(tmp_path / "wheels", "edited", files=files, scripts=("edited = edited:main",))
    index.add(path)
    venv = Venv(tmp_path / "venv")
    venv.install("--index-url", index.url + "/simple", "edited")
    (venv.site / "edited" / "gone.py").unlink()
    # Not through the hard link to uv's cache.
    kept = venv.site / "edited" / "kept.py"
    kept.unlink()
    kept.write_text("a = 2\n")
    (venv.site / "stray.py").write_text("b = 3\n")
    (venv.path / "bin" / "mine").write_text(f"#!{venv.python}\nprint('mine')\n")
    (venv.path / "bin" / "mine").chmod(0o755)
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert [pin.name for pin in resolved.lock.wheels] == ["edited"]
    assert resolved.lock.removed == (f"{SITE}/edited/gone.py",)
    assert [file.path for file in resolved.lock.overlay] == [
        "bin/mine",
        f"{SITE}/edited/kept.py",
        f"{SITE}/stray.py",
    ]
    (arrival,) = resolved.report.arrivals
    assert arrival.why == "1 changed by hand, 1 deleted by hand"
    assert [warning.partition(" ")[0] for warning in resolved.report.warnings] == [
        "bin/mine",
        f"{SITE}/stray.py",
    ]
    root = packing.unpack(resolved, venv.python)
    code = "import stray; from edited import kept; print(stray.b, kept.a)"
    assert inside(root, venv.python, code) == "3 2\n"
    assert not (root / PREFIX[1:] / SITE / "edited/gone.py").exists()
    assert str(venv.path).encode() not in (root / PREFIX[1:] / "bin/mine").read_bytes()


@pytest.mark.usefixtures("no_index")
def test_a_namespace_package_of_two_distributions(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    for name in ("first", "second"):
        venv.install(
            wheel(tmp_path, f"space_{name}", files={f"space/{name}.py": f"n = {name!r}\n"})
        )
    resolved = packing.resolve(venv.python, tmp_path / "project")
    root = packing.unpack(resolved, venv.python)
    code = "from space import first, second; print(first.n, second.n)"
    assert inside(root, venv.python, code) == "first second\n"


@pytest.mark.usefixtures("no_index")
def test_a_conda_build_is_refused_where_it_has_compiled_modules(
    tmp_path: Path, packing: Packing
) -> None:
    venv = Venv(tmp_path / "venv")
    venv.install(wheel(tmp_path, "pure"), wheel(tmp_path, "bound", files={"bound/core.so": "elf"}))
    for name in ("pure", "bound"):
        info = venv.site / f"{name}-1.0.dist-info"
        (info / "INSTALLER").unlink()
        (info / "INSTALLER").write_text("conda\n")
        (info / "direct_url.json").unlink()
        (info / "direct_url.json").write_text('{"url": "file:///home/build/work", "dir_info": {}}')
    with pytest.raises(DistUnresolvable) as refused:
        packing.resolve(venv.python, tmp_path / "project")
    assert refused.value.name == "bound"
    assert "conda" in refused.value.why()
    assert refused.value.fix() == "python -m pip install --force-reinstall bound==1.0"
    run("rm", "-r", venv.site / "bound", venv.site / "bound-1.0.dist-info")
    (pin,) = packing.resolve(venv.python, tmp_path / "project").lock.files
    assert (pin.name, pin.origin) == ("pure", "conda")


@pytest.mark.usefixtures("no_index")
def test_an_egg_info_arrives_with_what_it_lists(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    info = venv.site / "old_one-0.9-py3.11.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.1\nName: old_one\nVersion: 0.9\n")
    (info / "installed-files.txt").write_text("../old_one/__init__.py\nPKG-INFO\n")
    (venv.site / "old_one").mkdir()
    (venv.site / "old_one" / "__init__.py").write_text("x = 'old'\n")
    single = venv.site / "older-0.1.egg-info"
    single.write_text("Metadata-Version: 1.0\nName: older\nVersion: 0.1\n")
    (venv.site / "older.py").write_text("x = 'older'\n")
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert how(resolved) == {"old-one": "files", "older": "files"}
    assert not resolved.lock.overlay
    root = packing.unpack(resolved, venv.python)
    code = "import old_one, older; print(old_one.x, older.x)"
    assert inside(root, venv.python, code) == "old older\n"


def test_sendoff_and_what_only_it_needs_stay_out(
    tmp_path: Path, packing: Packing, index: Index
) -> None:
    requires = ("lonely", "shared", "asked_for", "elsewhere; python_version < '3'")
    for path in (
        wheel(tmp_path, "sendoff", requires=requires),
        wheel(tmp_path, "lonely", requires=("lonelier", "extra[more]")),
        wheel(tmp_path, "lonelier"),
        wheel(tmp_path, "extra", requires=("behind_extra; extra == 'more'",)),
        wheel(tmp_path, "behind_extra"),
        wheel(tmp_path, "shared"),
        wheel(tmp_path, "asked_for"),
        wheel(tmp_path, "declared"),
        wheel(tmp_path, "elsewhere"),
        wheel(tmp_path, "mine", requires=("shared",)),
    ):
        index.add(path)
    venv = Venv(tmp_path / "venv", by="pip")
    venv.install("--index-url", index.url + "/simple", "sendoff", "asked_for", "mine", "elsewhere")
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.py").write_text("import sendoff\n")
    resolved = packing.resolve(venv.python, project)
    found = how(resolved)
    out = {name for name, way in found.items() if way == "left out"}
    assert out == {"sendoff", "lonely", "lonelier", "extra", "behind-extra"}
    assert {"shared", "asked-for", "mine", "elsewhere"} <= {
        pin.name for pin in resolved.lock.wheels
    }
    # What the project itself declares stays in, in files that are added as well.
    (project / "requirements.txt").write_text("# ours\nLonelier==1.0\n")
    # One that was written just now is looked at anew in any case.
    os.utime(project / "requirements.txt", (1, 1))
    assert how(packing.resolve(venv.python, project))["lonelier"] == "wheel"
    (project / "requirements-more.txt").write_text("extra\n")
    assert how(packing.resolve(venv.python, project))["extra"] == "wheel"


def test_what_the_project_imports_stays_in_although_sendoff_needs_it(
    tmp_path: Path, packing: Packing, index: Index
) -> None:
    """uv does not tell what it was asked for, and the project declares nothing."""
    index.add(wheel(tmp_path, "sendoff", requires=("lonely", "used")))
    index.add(wheel(tmp_path, "lonely"))
    index.add(wheel(tmp_path, "used", files={"called_otherwise/__init__.py": "value = 1\n"}))
    venv = Venv(tmp_path / "venv")
    venv.install("--index-url", index.url + "/simple", "sendoff", "used")
    project = tmp_path / "project"
    project.mkdir()
    main = project / "main.py"
    for text, way in (
        ("import called_otherwise\n", "wheel"),
        ("import os\n", "left out"),
        ("import sys\n", "left out"),
        ("def late():\n    from called_otherwise import value\n", "wheel"),
    ):
        main.write_text(text)
        found = how(packing.resolve(venv.python, project))
        assert found == {"sendoff": "left out", "lonely": "left out", "used": way}


@pytest.mark.usefixtures("no_index")
def test_an_installation_that_is_no_virtual_environment(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv", ("--system-site-packages",))
    base = interpreter.describe(venv.python.resolve(), packing.cache)
    assert not base.virtual
    venv.install(wheel(tmp_path, "above"))
    alone = Sandbox(interpreter=base, project=tmp_path, cache=packing.cache)
    below = set(how(materials.resolve(alone, SILENT)))
    both = set(how(packing.resolve(venv.python, tmp_path / "project")))
    assert "pip" in below
    assert both == below | {"above"}


@pytest.mark.parametrize("place", ["an installation", "a virtual environment"])
def test_a_wheel_with_headers_arrives_as_it_wherever_pip_put_them(
    tmp_path: Path, packing: Packing, index: Index, place: str
) -> None:
    files = {"Has_Headers/__init__.py": "", "Has_Headers-1.0.data/headers/deep/a.h": "#define A\n"}
    index.add(wheel(tmp_path / "wheels", "Has_Headers", files=files))
    venv = Venv(tmp_path / "venv")
    python, prefix = venv.python, venv.path
    if place == "an installation":
        python, prefix = python.resolve(), tmp_path / "prefix"
    install = ("install", "-q", "--prefix", prefix, "Has.Headers")
    run(pip(), f"--python={python}", *install)
    found = replace(
        interpreter.describe(python, packing.cache),
        site_dirs=(str(prefix / SITE),),
        prefix=str(prefix),
    )
    here = Sandbox(interpreter=found, project=tmp_path, cache=packing.cache)
    resolved = materials.resolve(here, SILENT)
    assert [pin.name for pin in resolved.lock.wheels] == ["has-headers"]
    assert not resolved.lock.files
    root = packing.unpack(resolved, venv.python)
    (header,) = (root / PREFIX[1:] / "include").rglob("*.h")
    assert header.read_text() == "#define A\n"


@pytest.mark.usefixtures("no_index")
def test_a_pth_of_no_distribution_brings_what_it_names(tmp_path: Path, packing: Packing) -> None:
    venv = Venv(tmp_path / "venv")
    project, other = tmp_path / "project", tmp_path / "other"
    for folder, name in ((project / "lib", "near"), (other, "far")):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text(f"x = {name!r}\n")
    (venv.site / "places.pth").write_text(f"# mine\n{project / 'lib'}\n{other}\n/not/there\n")
    resolved = packing.resolve(venv.python, project)
    (tree,) = resolved.editables
    assert (tree.source, tree.in_image) == (other, "/opt/sendoff/editable/places")
    assert resolved.always == ("/lib/**/*.py", "/lib/**/*.so")
    assert [warning.partition(" ")[0] for warning in resolved.report.warnings] == [
        f"{SITE}/places.pth"
    ]
    root = packing.unpack(resolved, venv.python)
    (root / "workspace").symlink_to(project)
    assert inside(root, venv.python, "import near, far; print(near.x, far.x)") == "near far\n"


@pytest.mark.usefixtures("no_index")
def test_a_pth_of_a_distribution_leads_where_it_did(tmp_path: Path, packing: Packing) -> None:
    """Its lines are relative to where it lies, which is another place in the image."""
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "near.py").write_text("x = 'near'\n")
    venv = Venv(project / ".venv")
    files = {"owner.pth": "owned\n../../../../src\n", "owned/inner.py": "x = 'inner'\n"}
    files["owned/weights.pth"] = f"{tmp_path}\n"
    path = wheel(tmp_path / "wheels", "owner", files=files)
    venv.install(path)
    path.unlink()
    resolved = packing.resolve(venv.python, project)
    assert [pin.name for pin in resolved.lock.files] == ["owner"]
    assert (resolved.editables, resolved.always) == ((), ("/src/**/*.py", "/src/**/*.so"))
    assert not resolved.report.warnings
    root = packing.unpack(resolved, venv.python)
    (root / "workspace").symlink_to(project)
    assert inside(root, venv.python, "import near, inner; print(near.x, inner.x)") == "near inner\n"


@pytest.mark.usefixtures("no_index")
def test_a_file_outside_the_environment_is_refused_by_name(
    tmp_path: Path, packing: Packing
) -> None:
    venv = Venv(tmp_path / "venv")
    venv.install(wheel(tmp_path, "wide"))
    record = venv.site / "wide-1.0.dist-info" / "RECORD"
    content = record.read_text()
    record.unlink()
    record.write_text(content + "../../../../outside.txt,,\n")
    with pytest.raises(DistUnresolvable) as refused:
        packing.resolve(venv.python, tmp_path / "project")
    assert (refused.value.code, refused.value.name) == ("DIST_UNRESOLVABLE", "wide")
    assert json.dumps(refused.value.as_dict())


@pytest.mark.usefixtures("no_index")
def test_the_same_environment_on_two_machines_without_an_index(tmp_path: Path) -> None:
    locks = []
    for place, by in (("here", "uv"), ("far/away", "pip")):
        venv = Venv(tmp_path / place / "venv", by=by)
        path = wheel(tmp_path / "wheels", "alike", scripts=("alike = alike:main",))
        venv.install(path)
        path.unlink()
        locks.append(Packing(tmp_path / place).resolve(venv.python, tmp_path / place).lock)
    assert locks[0] == locks[1]
    assert locks[0].files
