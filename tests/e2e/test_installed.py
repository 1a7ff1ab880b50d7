"""What a wheel of sendoff brings besides its modules."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
LOAD = """\
from packer.bases import catalogue
home = catalogue.home()
print(home, *catalogue.load(home).bases)
"""


def test_the_catalogue_of_bases_and_the_skill_come_with_a_wheel(tmp_path: Path) -> None:
    build = [find_uv_bin(), "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    home, *bases = done.stdout.split()
    assert Path(home) == installed / "packer" / "base-images"
    assert bases == ["cpu", "cuda-runtime", "cuda-devel", "cuda-devel-12"]
    assert (Path(home) / "cpu" / "steps" / "libraries.sh").is_file()
    assert (installed / "sendoff" / "SKILL.md").is_file()
