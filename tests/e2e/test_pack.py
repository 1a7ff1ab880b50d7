"""Whole packs: other tools read what we write, and nothing but the content decides the digest."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packer import image_paths
from packer.digest import Digest
from packer.images.layout import Layout
from packer.pack import pack
from packer.pack_request import Command, PackRequest
from packer.packed import Packed
from packer.project.tree_errors import SymlinkEscape
from tests import file_systems

HERE = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sendoff-tests"
INSTALLED = ("six==1.17.0", "click==8.1.8", "msgspec==0.19.0")
CLIENT = (
    "msgspec",
    "deflate==0.9.0",
    "packaging>=26",
    "pathspec",
    "urllib3",
    "tenacity",
    "uv",
)
RUNNER = {
    f"{image_paths.RUNNER}/run": b'#!/bin/sh\nexec "$@"\n',
    f"{image_paths.RUNNER}/site/part.py": b"part = 1\n",
}
DRIVER = """
import json, sys
from pathlib import Path
from packer.errors import SendoffError
from packer.pack import pack
from packer.pack_request import Command, PackRequest
project, layout, cache, python = sys.argv[1:]
request = PackRequest(
    project=Path(project), layout=Path(layout), cache=Path(cache), python=python,
    commands=(Command(arguments=("python", "a.py")), Command(arguments=("python", "b.py"))),
    runner={"/opt/sendoff/runner/part.py": b"part = 1"},
)
try:
    print(json.dumps([*pack(request).images]))
except SendoffError as error:
    sys.exit(json.dumps(error.as_dict()))
"""


def venv(name: str, python: str, requirements: tuple[str, ...]) -> Path:
    """A virtual environment, made once and kept; the path of its interpreter."""
    key = hashlib.sha256(repr((python, requirements)).encode()).hexdigest()[:12]
    folder = CACHE / "venvs" / f"{name}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".ready"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            subprocess.run(
                [UV, "venv", "-q", "--clear", "--no-python-downloads", "-p", python, folder],
                check=True,
            )
            target = folder / "bin" / "python"
            if requirements:
                subprocess.run(
                    [UV, "pip", "install", "-q", "-p", target, *requirements], check=True
                )
            stamp.touch()
    return folder / "bin" / "python"


def interpreter(minor: str) -> str:
    """A Python of this minor on this machine; version managers put shims on PATH that refuse."""
    managed = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [*managed.glob(f"{minor}.*/bin/python"), shutil.which(f"python{minor}")]
    for path in filter(None, (os.path.realpath(sys.executable), *found)):
        question = "import sys; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([path, "-c", question], check=False, capture_output=True, text=True)
        if said.stdout.strip() == minor:
            return str(path)
    pytest.skip(f"no Python {minor} on this machine")


@pytest.fixture(scope="session")
def sandbox() -> Path:
    return venv("sandbox", os.path.realpath(sys.executable), INSTALLED)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "train.py").write_text("print('trained')\n")
    (root / "pkg" / "__init__.py").write_text("")
    (root / "pkg" / "run.sh").write_text("#!/bin/sh\n")
    (root / "pkg" / "run.sh").chmod(0o755)
    (root / "latest").symlink_to("pkg/run.sh")
    (root / "outputs").mkdir()
    (root / "weights.bin").write_bytes(random.Random(1).randbytes(3_000_000))  # noqa: S311
    for name in ("new\nline", os.fsdecode(b"\xff\xfe"), "d" * 200 + "/" + "e" * 100):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("odd")
    (root / ".gitignore").write_text("*.log\n")
    (root / "left.log").write_text("")
    return root


def request(project: Path, home: Path, python: Path, **changes: Any) -> PackRequest:
    return PackRequest(
        project=project,
        layout=home / "layout",
        cache=home / "cache",
        python=str(python),
        **{"commands": (Command(arguments=("python", "train.py")),), "runner": RUNNER, **changes},
    )


def tag_of(layout: Path, digest: Digest) -> str:
    return next(name for name, named in Layout(layout).tags().items() if named == digest)


def tree(root: Path) -> dict[str, tuple[str, int, str]]:
    """Path → kind, mode, content."""
    found = {}
    for path in root.rglob("*"):
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            entry = ("link", 0, str(path.readlink()))
        elif path.is_dir():
            entry = ("directory", mode, "")
        else:
            entry = ("file", mode, hashlib.sha256(path.read_bytes()).hexdigest())
        found[str(path.relative_to(root))] = entry
    return found


def verify(layout: Path) -> int:
    """Every blob has the content that its name says; how many there are."""
    blobs = list(layout.glob("blobs/sha256/*"))
    for path in blobs:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    return len(blobs)


def drive(
    project: Path, home: Path, sandbox: Path, *, python: Path = Path(sys.executable), **env: str
) -> subprocess.Popen[str]:
    arguments = (project, home / "layout", home / "cache", sandbox)
    return subprocess.Popen(
        [python, "-c", DRIVER, *arguments],
        env={**os.environ, "PYTHONPATH": str(HERE), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def images(process: subprocess.Popen[str]) -> list[str]:
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return json.loads(out)


def packed(project: Path, home: Path, sandbox: Path) -> Packed:
    return pack(request(project, home, sandbox))


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_skopeo_reads_the_image(project: Path, tmp_path: Path, sandbox: Path):
    done = packed(project, tmp_path, sandbox)
    reference = f"oci:{tmp_path}/layout:{tag_of(tmp_path / 'layout', done.images[0])}"
    said = subprocess.run(["skopeo", "inspect", reference], check=True, capture_output=True)
    found = json.loads(said.stdout)
    assert found["Digest"] == done.images[0]
    assert found["Layers"] == [layer.digest for layer in done.layers]
    assert found["Labels"]["io.sendoff.snapshot"] == done.snapshot
    # A copy reads and checks every blob.
    subprocess.run(["skopeo", "copy", "-q", reference, f"dir:{tmp_path}/copy"], check=True)


@pytest.mark.skipif(not shutil.which("umoci"), reason="umoci is not installed")
def test_umoci_unpacks_what_was_packed(project: Path, tmp_path: Path, sandbox: Path):
    done = packed(project, tmp_path, sandbox)
    image = f"{tmp_path}/layout:{tag_of(tmp_path / 'layout', done.images[0])}"
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    command = ["umoci", "unpack", *rootless, "--image", image, str(tmp_path / "bundle")]
    subprocess.run(command, check=True, capture_output=True)
    root = tmp_path / "bundle" / "rootfs"
    (project / "left.log").unlink()
    expected = {
        path: (kind, mode if kind != "file" or mode & 0o100 else 0o644, content)
        for path, (kind, mode, content) in tree(project).items()
    }
    assert tree(root / image_paths.WORKSPACE[1:]) == expected
    runner = tree(root / image_paths.RUNNER[1:])
    assert runner["run"][1] == 0o755
    assert (root / image_paths.RUNNER[1:] / "site" / "part.py").read_bytes() == b"part = 1\n"
    library = image_paths.site_packages(done.lock.minor)
    site, installed = root / image_paths.PREFIX[1:] / library, sandbox.parents[1] / library
    for name in ("six.py", "click/core.py", "msgspec/__init__.py"):
        assert (site / name).read_bytes() == (installed / name).read_bytes()
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    assert config["process"]["args"] == ["python", "train.py"]
    assert config["process"]["cwd"] == "/workspace"


def distribution(root: Path, name: str) -> Path:
    """A project that an editable install can point to, with a module that git ignores."""
    (root / "src" / name).mkdir(parents=True)
    (root / "src" / name / "__init__.py").write_text("from . import made\n")
    (root / "src" / name / "made.py").write_text("made = True\n")
    (root / ".gitignore").write_text("made.py\nbuild/\n*.egg-info\n")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    return root


@pytest.mark.skipif(not shutil.which("umoci"), reason="umoci is not installed")
def test_editable_installs_arrive_as_their_source(project: Path, tmp_path: Path):
    distribution(project, "inside")
    outside = distribution(tmp_path / "library", "outside")
    python = tmp_path / "venv" / "bin" / "python"
    base = os.path.realpath(sys.executable)
    subprocess.run([UV, "venv", "-q", "-p", base, python.parents[1]], check=True)
    editables = [part for root in (project, outside) for part in ("-e", str(root))]
    subprocess.run([UV, "pip", "install", "-q", "-p", python, *editables], check=True)
    done = packed(project, tmp_path, python)
    assert list(done.editables) == ["outside"]
    image = f"{tmp_path}/layout:{tag_of(tmp_path / 'layout', done.images[0])}"
    bundle = tmp_path / "bundle"
    command = ["umoci", "unpack", "--image", image, str(bundle)]
    if os.geteuid() != 0:
        command.insert(2, "--rootless")
    subprocess.run(command, check=True, capture_output=True)
    root = bundle / "rootfs"
    question = "import inside, outside; print(inside.__file__, outside.__file__)"
    site = root / image_paths.PREFIX[1:] / image_paths.site_packages(done.lock.minor)
    said = subprocess.run(
        [base, "-I", "-c", f"import site; site.addsitedir({str(site)!r}); {question}"],
        env={"SENDOFF_ROOT": str(root)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.split() == [
        f"{root}{image_paths.WORKSPACE}/src/inside/__init__.py",
        f"{root}{image_paths.EDITABLE}/outside/src/outside/__init__.py",
    ]
    # A change of the library is a change of the image, and of nothing else.
    (outside / "src" / "outside" / "made.py").write_text("made = False\n")
    again = packed(project, tmp_path, python)
    assert again.images != done.images
    assert again.environment == done.environment
    assert len(set(again.layers) - set(done.layers)) == 1


def test_images_of_many_commands_share_their_layers(project: Path, tmp_path: Path, sandbox: Path):
    first = packed(project, tmp_path, sandbox)
    before = verify(tmp_path / "layout")
    commands = tuple(Command(arguments=("python", "train.py", str(n))) for n in range(20))
    swept = pack(request(project, tmp_path, sandbox, commands=commands))
    assert len(set(swept.images)) == 20
    assert swept.layers == first.layers
    assert verify(tmp_path / "layout") == before + 2 * 20
    assert swept.timings["images"] < 0.2


def test_a_second_pack_writes_nothing(project: Path, tmp_path: Path, sandbox: Path):
    first = packed(project, tmp_path, sandbox)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("layout/**/*")}
    again = packed(project, tmp_path, sandbox)
    assert again.images == first.images
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("layout/**/*")} == before


def test_a_missing_blob_is_made_again(project: Path, tmp_path: Path, sandbox: Path):
    first = packed(project, tmp_path, sandbox)
    for path in tmp_path.glob("layout/blobs/sha256/*"):
        path.unlink()
    assert packed(project, tmp_path, sandbox).images == first.images
    assert verify(tmp_path / "layout") > 0
    for layer in first.layers:
        Layout(tmp_path / "layout").verify(layer.digest)


def test_a_bad_project_is_refused_before_anything_is_stored(
    project: Path, tmp_path: Path, sandbox: Path
):
    (project / "out").symlink_to("/etc")
    with pytest.raises(SymlinkEscape):
        packed(project, tmp_path, sandbox)
    assert not (tmp_path / "layout").exists()
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"interpreters"}


@pytest.mark.parametrize("minor", ["3.11", "3.12", "3.13"])
def test_the_digest_depends_on_the_content_alone(
    project: Path, tmp_path: Path, sandbox: Path, minor: str
):
    expected = images(drive(project, tmp_path / "one", sandbox))
    elsewhere = tmp_path / "another" / "place"
    mask = os.umask(0o077)
    try:
        shutil.copytree(project, elsewhere, symlinks=True, copy_function=shutil.copyfile)
        (elsewhere / "pkg" / "run.sh").chmod(0o700)
        for path in elsewhere.rglob("*"):
            os.utime(path, (1, 1), follow_symlinks=False)
        client = venv("client", interpreter(minor), CLIENT)
        found = images(
            drive(
                elsewhere,
                tmp_path / "two",
                sandbox,
                python=client,
                TZ="Asia/Kathmandu",
                LC_ALL="C",
                PYTHONHASHSEED="7",
            )
        )
    finally:
        os.umask(mask)
    assert found == expected
    one, two = (
        {path.name for path in tmp_path.glob(f"{n}/layout/blobs/sha256/*")} for n in ("one", "two")
    )
    # The tag's name, which no digest depends on, has the directory's name in it.
    assert one == two


def test_two_at_once_end_with_the_same_digest(project: Path, tmp_path: Path, sandbox: Path):
    both = [drive(project, tmp_path / "home", sandbox) for _ in range(2)]
    first, second = (images(each) for each in both)
    assert first == second
    verify(tmp_path / "home" / "layout")
    assert not list((tmp_path / "home" / "layout" / ".incoming").iterdir())
    assert first == images(drive(project, tmp_path / "alone", sandbox))


KILLS = 10


def test_a_killed_pack_leaves_nothing_that_is_believed(
    project: Path, tmp_path: Path, sandbox: Path
):
    expected = images(drive(project, tmp_path / "first", sandbox))
    # The first has asked the index; how long one takes is known from the second.
    began = time.monotonic()
    assert images(drive(project, tmp_path / "second", sandbox)) == expected
    whole = time.monotonic() - began
    chance = random.Random(3)  # noqa: S311 - repeatable, not secret
    home = tmp_path / "home"
    killed = 0
    for _ in range(60):
        began = time.monotonic()
        process = drive(project, home, sandbox)
        try:
            process.communicate(timeout=chance.uniform(0.1, 1) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        verify(home / "layout")
        if killed == KILLS:
            break
        if not process.returncode:
            # It was quicker than its killer: the next one begins with nothing.
            whole = min(whole, time.monotonic() - began)
            shutil.rmtree(home)
    assert killed == KILLS
    assert images(drive(project, home, sandbox)) == expected
    assert not [path for path in home.rglob(".incoming/*") if path.parts[-3] != "wheels"]


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of so many kB."""
    with file_systems.small(tmp_path / "small", f"{request.param}k") as folder:
        yield folder


# From the first file that is written to nearly enough.
@pytest.mark.parametrize("small_disk", [8, 64, 1_000, 3_100, 3_300, 3_600, 4_000], indirect=True)
def test_a_full_disk_is_told_and_nothing_is_half_written(
    project: Path, tmp_path: Path, sandbox: Path, small_disk: Path
):
    process = drive(project, small_disk, sandbox)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 1, said
    error = json.loads(said)
    assert error["code"] == "DISK_FULL", error
    verify(small_disk / "layout")
    assert not list(small_disk.rglob(".incoming/*"))
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    expected = images(drive(project, tmp_path / "large", sandbox))
    assert images(drive(project, small_disk, sandbox)) == expected
