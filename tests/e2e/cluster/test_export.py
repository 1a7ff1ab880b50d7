"""What is exported, built by BuildKit without anything of sendoff, runs to the same output."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from packer.buildkit import address
from packer.buildkit.build import Build, Output
from packer.buildkit.builder import Builder
from tests.buildkit import docker_cli
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site
from tests.e2e.sandboxes import TOOLS

MAIN = """\
import os, pathlib, random, sys
import idna, loose, six
random.seed(int(sys.argv[1]))
print([random.random() for _ in range(5)], six.changed, loose.here, idna.__version__)
print(os.environ["MODE"], sorted(str(path) for path in pathlib.Path().rglob("*.txt")))
print(os.path.exists(os.path.join(os.path.dirname(idna.__file__), "uts46data.py")))
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of an index, one of them changed by hand, one with a file less, and a loose file."""
    venv = sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")
    install = [str(TOOLS / "uv"), "pip", "install", "-q", "--link-mode", "copy", "--python"]
    subprocess.run([*install, str(venv), "six==1.17.0", "idna==3.10"], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    with (site / "six.py").open("a") as stream:
        stream.write("changed = True\n")
    (site / "idna" / "uts46data.py").unlink()
    (site / "loose.py").write_text("here = True\n")
    return venv


@pytest.fixture
def builder(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    docker_cli(tmp_path / "cli", monkeypatch)
    known = site.stack.known["buildkitd"]["address"]
    return Builder(address.parse(known), tmp_path / "builders")


@pytest.fixture
def trusting(site: Site, builder: Builder, tmp_path: Path) -> str:
    """The base with this machine's certificates: between it and the index there may be a proxy."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    shutil.copyfile(ssl.get_default_verify_paths().cafile or "", folder / "ca.crt")
    text = (
        f"FROM {site.stack.known['images']['base']}\n"
        "COPY ca.crt /etc/ssl/certs/ca-certificates.crt\n"
        "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n"
    )
    name = f"{site.registry}:trusting"
    built = builder.build(Build(dockerfile=text, context=folder, output=Output.pushed(name)))
    return f"{site.registry}@{built.digest}"


@pytest.fixture
def desk(site: Site, sandbox: Path, cache: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk", site, environment(sandbox, cache))
    made.write("main.py", MAIN)
    made.write("note with space.txt", "x")
    yield made
    made.clear()


def test_the_dockerfile_is_built_and_runs_to_the_same_output(
    desk: Desk, site: Site, builder: Builder, trusting: str, tmp_path: Path
) -> None:
    flags = ("--env", 'MODE=a "b" $HOME', "--timeout", "5m")
    run = desk.sent("run", *flags, "--", "python", "main.py", "7")
    desk.done("wait", run)
    printed = desk.done("logs", run)
    assert "True True 3.10" in printed
    folder = tmp_path / "exported"
    desk.done("export", run, str(folder))
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(TOOLS / "uv", tools / "uv")
    name = f"{site.registry}:rebuilt"
    built = builder.build(
        Build(
            dockerfile=(folder / "Dockerfile").read_text(),
            context=folder,
            contexts={"uv": str(tools)},
            arguments={"BASE": trusting},
            output=Output.pushed(name),
        )
    )
    docker = {**os.environ, "DOCKER_HOST": site.stack.known["docker"]["host"]}
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", f"{site.registry}@{built.digest}"],
        env=docker,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


@pytest.mark.parametrize(
    "install",
    [
        ["uv", "pip", "sync", "pylock.toml"],
        ["uv", "pip", "install", "-r", "pylock.toml"],
        ["pip", "install", "--no-deps", "--require-hashes", "-r", "requirements.txt"],
    ],
    ids=["uv sync", "uv install", "pip"],
)
def test_its_packages_are_installed_without_us(
    desk: Desk, tmp_path: Path, install: list[str]
) -> None:
    (packed,) = desk.json("pack", "--", "python", "main.py", "7")["images"]
    folder = tmp_path / "exported"
    desk.done("export", packed, str(folder))
    venv = tmp_path / "venv"
    subprocess.run([str(TOOLS / "python"), "-m", "venv", str(venv)], check=True)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PIP_FIND")}
    subprocess.run(
        install,
        cwd=folder,
        env={**kept, "VIRTUAL_ENV": str(venv), "PATH": f"{venv}/bin:{TOOLS}:/usr/bin:/bin"},
        check=True,
    )
    shutil.copytree(folder / "files", venv, dirs_exist_ok=True)
    done = subprocess.run(
        [str(venv / "bin" / "python"), "main.py", "7"],
        cwd=folder / "tree",
        env={**os.environ, "MODE": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "True True 3.10" in done.stdout, done.stderr
