from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from packer.layers import scripts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder 'with' quotes"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    (folder / "tool_of_test.py").write_text(
        "import sys\ndef main():\n    print(sys.argv[1:])\n    return 3\nclass C:\n    run = main\n"
    )
    return folder


@pytest.mark.parametrize("reference", ["tool_of_test:main", "tool_of_test : C.run [extra]"])
def test_a_launcher_runs_from_anywhere(folder, tmp_path, reference):
    (name, program), *_ = scripts.launchers(f"[console_scripts]\nt = {reference}\n").items()
    script = folder / name
    script.write_bytes(program)
    script.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(script)
    for start in (script, link):
        done = subprocess.run(
            [start, "a b", "*"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)},
        )
        assert (done.stdout, done.returncode) == ("['a b', '*']\n", 3), done.stderr


def test_a_script_keeps_its_encoding(folder):
    script = folder / "latin"
    text = "#!python\n# -*- coding: latin-1 -*-\nimport sys\nsys.exit(ord('é') != 233)\n"
    script.write_bytes(scripts.placed(text.encode("latin-1")))
    script.chmod(0o755)
    subprocess.run([script], check=True)


def test_names_keep_their_case_and_later_sections_win():
    text = "[console_scripts]\nFoo = a:b\n[gui_scripts]\nFoo = c:d\n"
    assert b"from c import d" in scripts.launchers(text)["Foo"]


def test_no_entry_points():
    assert scripts.launchers("") == {}


def test_a_file_in_another_form():
    with pytest.raises(ValueError, match=r"entry_points\.txt"):
        scripts.launchers("no section = here\n")


def test_other_scripts_stay():
    for script in (b"#!/usr/bin/env python\n", b"\x7fELF", b""):
        assert scripts.placed(script) is script
