from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile

import pytest

from packer.layers import wheel
from packer.layers.tree import MadeFile
from packer.layers.zip_archive import ZipArchive
from packer.wheels.errors import WheelCorrupt

SITE = "lib/python3.11/site-packages"
INFO = f"{SITE}/Foo_Bar-1.0.dist-info"


@pytest.fixture
def installed(make_wheel):
    """Path → (content, executable) of the tree that a wheel of these files makes."""

    def install(contents, removed=(), **options):
        pin, path = make_wheel(contents, **options)
        with ZipArchive(path) as archive:
            tree = wheel.tree(pin, archive, "3.11", removed)
            return {path: (file.content(), file.executable) for path, file in tree.items()}

    return install


@pytest.fixture
def refused(installed):
    def install(contents, **options) -> str:
        with pytest.raises(WheelCorrupt) as caught:
            installed(contents, **options)
        assert caught.value.code == "WHEEL_CORRUPT"
        return caught.value.reason

    return install


@pytest.mark.parametrize("purelib", [True, False])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_root_is_site_packages(installed, purelib, method):
    tree = installed({"foo/__init__.py": "x = 1\n"}, purelib=purelib, method=method)
    assert tree[f"{SITE}/foo/__init__.py"] == (b"x = 1\n", False)


def test_data_schemes(installed):
    data = "Foo_Bar-1.0.data"
    tree = installed(
        {
            f"{data}/purelib/pure.py": "1",
            f"{data}/platlib/plat.py": "2",
            f"{data}/headers/foo.h": "3",
            f"{data}/data/share/foo/x.txt": "4",
            f"{data}/data/etc/foo.cfg": "5",
            f"{data}/scripts/tool": "#!/bin/sh\n",
        }
    )
    assert tree[f"{SITE}/pure.py"][0] == b"1"
    assert tree[f"{SITE}/plat.py"][0] == b"2"
    assert tree["include/site/python3.11/foo-bar/foo.h"][0] == b"3"
    assert tree["share/foo/x.txt"][0] == b"4"
    assert tree["etc/foo.cfg"][0] == b"5"
    assert tree["bin/tool"] == (b"#!/bin/sh\n", True)


@pytest.mark.parametrize("line", [b"#!python", b"#!pythonw", b"#!python -O"])
def test_scripts_start_the_python_beside_them(installed, line):
    tree = installed({"Foo_Bar-1.0.data/scripts/tool": line + b"\nprint(1)\n"})
    content, executable = tree["bin/tool"]
    assert executable
    assert content.startswith(b"#!/bin/sh\n'''exec'")
    assert content.endswith(b"\n' '''\nprint(1)\n")


def test_entry_points_become_launchers(installed):
    tree = installed(
        {"Foo_Bar-1.0.data/scripts/both": "of the wheel"},
        info={
            "entry_points.txt": "[console_scripts]\nFoo = foo:main\nboth=foo.cli : obj.run [x]\n"
            "[gui_scripts]\ngui = foo:gui\n[other.group]\nx = y\n"
        },
    )
    assert b"from foo import main\n" in tree["bin/Foo"][0]
    assert b"from foo.cli import obj\n" in tree["bin/both"][0]
    assert b"sys.exit(obj.run())" in tree["bin/both"][0]
    assert b"sys.exit(gui())" in tree["bin/gui"][0]
    assert all(tree[f"bin/{name}"][1] for name in ("Foo", "both", "gui"))


def test_modes_and_kinds(installed):
    modes = {"a/run": 0o100755, "a/group": 0o100610, "a/link": 0o120644, "a/plain": 0}
    tree = installed(dict.fromkeys(modes, "run") | {"a/dir/": ""}, modes=modes)
    assert tree[f"{SITE}/a/run"][1]
    assert tree[f"{SITE}/a/group"][1]
    assert not tree[f"{SITE}/a/plain"][1]
    # pip, uv and installer all make a symbolic link a file that holds its target.
    assert tree[f"{SITE}/a/link"] == (b"run", False)
    assert not any(path.startswith(f"{SITE}/a/dir") for path in tree)


def test_how_it_was_installed_is_not_taken_from_the_wheel(installed):
    tree = installed(
        {},
        info={"INSTALLER": "pip", "REQUESTED": "", "direct_url.json": "{}", "licenses/L": "free"},
    )
    assert tree[f"{INFO}/INSTALLER"][0] == b"sendoff\n"
    assert tree[f"{INFO}/licenses/L"][0] == b"free"
    assert not {f"{INFO}/REQUESTED", f"{INFO}/direct_url.json"} & set(tree)


def record_of(tree) -> dict[str, tuple[str, str]]:
    rows = csv.reader(io.StringIO(tree[f"{INFO}/RECORD"][0].decode(), newline=""))
    return {path: (digest, size) for path, digest, size in rows}


def test_record_lists_what_is_there(installed):
    tree = installed(
        {"foo.py": "1", "odd, name.txt": "2", "Foo_Bar-1.0.data/scripts/t": "#!python\n"},
        info={"entry_points.txt": "[console_scripts]\nfoo=foo:main\n"},
    )
    record = record_of(tree)
    assert len(record) == len(tree)
    assert record.pop("Foo_Bar-1.0.dist-info/RECORD") == ("", "")
    prefix = {"../../../bin/t": "bin/t", "../../../bin/foo": "bin/foo"}
    for path, (digest, size) in record.items():
        content = tree[prefix.get(path, f"{SITE}/{path}")][0]
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        assert (digest, size) == (f"sha256={expected}", str(len(content)))


def test_hashes_of_the_wheels_record_are_kept(make_wheel):
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"1").digest()).decode()
    pin, path = make_wheel({"foo.py": "1"}, info={"RECORD": f"foo.py,sha256={digest},1\n"})
    with ZipArchive(path) as archive:
        tree = wheel.tree(pin, archive, "3.11")
        record = tree[f"{INFO}/RECORD"]
    assert isinstance(record, MadeFile)
    assert f"foo.py,sha256={digest.rstrip('=')},1\n".encode() in record.data


def test_removed_files_stay_out(installed):
    tree = installed({"foo/a.py": "", "foo/b.py": ""}, removed=(f"{SITE}/foo/a.py", "no/such"))
    assert f"{SITE}/foo/a.py" not in tree
    assert "foo/a.py" not in record_of(tree)
    assert "foo/b.py" in record_of(tree)


def test_bytecode_that_a_builder_left_stays_out(installed):
    tree = installed({"foo/__pycache__/a.cpython-311.pyc": "stale", "foo/only.pyc": "sourceless"})
    assert f"{SITE}/foo/__pycache__/a.cpython-311.pyc" not in tree
    assert f"{SITE}/foo/only.pyc" in tree


def test_names_that_are_not_ascii(installed):
    tree = installed({"foo/né ü.txt": "1"})
    assert tree[f"{SITE}/foo/né ü.txt"][0] == b"1"
    assert "foo/né ü.txt" in record_of(tree)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "foo/../../evil.py",
        "/etc/evil",
        "Foo_Bar-1.0.data/data/../../evil",
        "Foo_Bar-1.0.data/scripts/../../evil",
    ],
)
def test_paths_that_leave_are_refused(refused, name):
    assert "leaves the environment" in refused({name: "x"})


def test_a_launcher_that_leaves_is_refused(refused):
    reason = refused({}, info={"entry_points.txt": "[console_scripts]\n../../x = a:b\n"})
    assert "leaves the environment" in reason


@pytest.mark.parametrize("reference", ["foo", "foo:", ":main", "foo:main; import os", "a b:c"])
def test_references_that_are_none_are_refused(refused, reference):
    text = f"[console_scripts]\nx = {reference}\n"
    assert "names no function" in refused({}, info={"entry_points.txt": text})


def test_duplicate_names_are_refused(refused, make_wheel):
    pin, path = make_wheel({"foo.py": "1", "fox.py": "2"})
    path.write_bytes(path.read_bytes().replace(b"fox.py", b"foo.py"))
    with ZipArchive(path) as archive, pytest.raises(WheelCorrupt, match="twice"):
        wheel.tree(pin, archive, "3.11")
    assert "twice" in refused({"foo.py": "1", "./foo.py": "2"})
    assert "two of" in refused({"foo.py": "1", "Foo_Bar-1.0.data/purelib/foo.py": "2"})


def test_a_file_where_a_directory_must_be_is_refused(refused):
    assert "both a file and a directory" in refused({"foo": "1", "foo/a.py": "2"})


def test_unknown_schemes_and_formats_are_refused(refused):
    assert "scheme" in refused({"Foo_Bar-1.0.data/other/x": ""})
    assert "format 2.0" in refused({}, info={"WHEEL": "Wheel-Version: 2.0\n"})
    assert "WHEEL" in refused({}, info={"WHEEL": "nothing\n"})
    assert "2 .dist-info" in refused({"Other-1.0.dist-info/METADATA": ""})


def test_the_same_wheel_gives_the_same_tree(installed):
    files = {f"foo/{number}.py": str(number) for number in range(50)}
    assert installed(files) == installed(files)
