"""Bases are built, pushed, named by runs, and built again elsewhere; and what stands in the way."""

from __future__ import annotations

import functools
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from packer.bases import catalogue as catalogues
from packer.bases import contents
from packer.digest import Digest
from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests import file_systems
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Gate, Site
from tests.e2e.cluster.foundry import PYTHON, Foundry
from tests.e2e.cluster.test_builders import MAIN
from tests.e2e.cluster.test_pages import commands, done
from tests.registries.process import RegistryProcess
from tests.stack.buildkit.second import SecondBuilder
from tests.web_server import Quiet, WebServer

STACK_PYTHON = "usr/lib/python3.11/", "usr/bin/python3.11"
NOWHERE = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def made(foundry: Foundry) -> dict[str, Any]:
    """The bases without a compiler, by their names."""
    return {each["name"]: each for each in foundry.build("--push", "cpu", "cuda-runtime")}


@pytest.fixture(scope="module")
def second(site: Site) -> Iterator[SecondBuilder]:
    with SecondBuilder(site.stack.known["registry"]["address"]) as builder:
        yield builder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A catalogue with one base, whose Dockerfile is the test's."""
    folder = tmp_path / "own"
    (folder / "lab").mkdir(parents=True)
    root = f'image = "registry.example/debian:1"\ndigest = "{NOWHERE}"'
    (folder / "catalogue.toml").write_text(
        f'[roots.debian]\n{root}\n[pythons."3.11"]\nroot = "debian"\nversion = "3.11.2"\n'
        'packages = ["python3"]\n'
        '[bases.lab]\nfolder = "lab"\nabout = "a laboratory"\npythons = ["3.11"]\n'
    )
    return folder


def dockerfile(own: Path, *steps: str) -> tuple[str, str]:
    """Have these steps upon the root; the options that name the catalogue."""
    lines = ["ARG ROOT", "FROM ${ROOT}", "USER root", *steps]
    (own / "lab" / "Dockerfile").write_text("".join(f"{line}\n" for line in lines))
    return ("--catalogue", str(own))


def test_what_is_in_a_base(foundry: Foundry, made: dict[str, Any]) -> None:
    cpu, cuda = made["cpu"], made["cuda-runtime"]
    assert cuda["layers"] == cpu["layers"]
    assert len(cpu["layers"]) == 1
    assert cpu["distribution"] == "debian-12"
    assert {"ca-certificates", "tini", "libgl1", "libgomp1", "python3"} <= cpu["packages"].keys()
    assert not {"libllvm15", "libgl1-mesa-dri"} & cpu["packages"].keys()
    layout = Layout(foundry.desk.home / "cache" / "sendoff" / "bases" / "layout")
    image = contents.read(layout, Digest(cuda["digest"]))
    config = image.config["config"]
    assert config["User"] == "1000:1000"
    assert {"NVIDIA_DRIVER_CAPABILITIES=compute,utility", "NVIDIA_VISIBLE_DEVICES=all"} <= {
        *config["Env"]
    }
    assert config["Entrypoint"] == ["/usr/bin/tini", "--"]
    assert image.labels["io.sendoff.base.python-version"] == "3.11.2"
    assert image.labels["io.sendoff.base.glibc"] == "2.36"
    entries = contents.entries(layout, image.layers[0])
    assert not [path for path in entries if "/.wh." in f"/{path}"]
    assert entries["home/user"].mode == 0o1777
    assert entries["usr/bin/su"].mode == 0o4755
    assert not [path for path in entries if path.startswith(("steps", "var/lib/apt/lists/d"))]
    assert max(each.modified for each in entries.values()) <= 1_792_022_400


def test_what_is_known_of_a_base_is_attached_to_it(foundry: Foundry, made: dict[str, Any]) -> None:
    registry, digest = foundry.registry("cpu"), Digest(made["cpu"]["digest"])
    assert registry.has(PYTHON) == digest
    found = {each.kind: each for each in registry.referrers(digest)}
    bill = json.loads(registry.document(found["application/spdx+json"]))
    listed = {each["name"]: each["versionInfo"] for each in bill["packages"]}
    assert listed["tini"] == made["cpu"]["packages"]["tini"]
    statement = json.loads(registry.document(found["application/vnd.in-toto+json"]))
    assert statement["subject"] == [
        {"name": "cpu:3.11", "digest": {"sha256": digest.removeprefix("sha256:")}}
    ]
    materials = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert foundry.root.rpartition(":")[2] in json.dumps(materials)
    again = foundry.json("push", "cpu:3.11")
    assert [each["reference"] for each in again] == [f"{foundry.bases}/cpu@{digest}"]
    assert len(registry.referrers(digest)) == 2


def test_the_list_tells_what_was_built_and_pushed(foundry: Foundry, made: dict[str, Any]) -> None:
    listed = {(each["name"], each["python"]): each for each in foundry.json("list")}
    cpu = listed["cpu", "3.11"]
    assert cpu["built"] == cpu["pushed"] == made["cpu"]["digest"]
    assert "built" not in listed["cpu", "3.13"]
    assert listed["cuda-devel", "3.13"]["cuda"] == "13.0"
    table = foundry("list", "cpu").stdout
    assert table.splitlines()[0].split() == [
        *("base", "python", "root", "cuda", "driver", "built", "pushed", "for")
    ]


LOOK = """\
import ctypes, os, pathlib, ssl
for name in ("libGL.so.1", "libgomp.so.1", "libstdc++.so.6", "libglib-2.0.so.0", "libXext.so.6"):
    ctypes.CDLL(name)
pathlib.Path(os.environ["HOME"], "x").write_text("written")
print(len(ssl.create_default_context().get_ca_certs()) > 50, os.getuid(), "all", "well")
"""


@pytest.mark.parametrize(
    ("asked", "base"),
    [(("--base", "cpu"), "cpu"), (("--gpu", "h100"), "cuda-runtime"), ((), "cpu")],
)
def test_a_run_stands_on_the_base_it_names_or_its_gpu_implies(
    foundry: Foundry, made: dict[str, Any], asked: tuple[str, ...], base: str
) -> None:
    desk = foundry.desk
    desk.write("look.py", LOOK)
    run = desk.sent("run", *asked, "--", "python", "look.py")
    desk.done("wait", run)
    assert "True 65532 all well" in desk.done("logs", run)
    registry = Registry(Repository.parse(desk.site.registry), Access(), desk.home / "registry")
    manifest = json.loads(registry.manifest(desk.index(run)["digest"]).data)
    assert manifest["layers"][0]["digest"] in made[base]["layers"]
    labels = _labels(registry, manifest)
    assert labels["io.sendoff.base"] == made[base]["digest"]
    assert labels["io.sendoff.base.name"] == base


def test_sources_and_packages_are_built_on_a_base_of_one_s_own(
    foundry: Foundry, made: dict[str, Any]
) -> None:
    sandbox = sandboxes.with_packages(Path(__file__).with_name("sources.txt"))
    variables = environment(sandbox, foundry.desk.home / "cache")
    desk = replace_environment(foundry.desk, **variables, SENDOFF_IMAGE='{"apt": ["hello"]}')
    desk.write("main.py", MAIN)
    run = desk.sent("run", "--gpu", "h100", "--", "python", "main.py")
    desk.done("wait", run)
    assert desk.done("logs", run).splitlines() == ["True crcmod._crcfunext", "Hello, world!"]
    registry = Registry(Repository.parse(desk.site.registry), Access(), desk.home / "registry")
    manifest = json.loads(registry.manifest(desk.index(run)["digest"]).data)
    assert manifest["layers"][0]["digest"] in made["cuda-runtime"]["layers"]


def _labels(registry: Registry, manifest: dict[str, Any]) -> dict[str, str]:
    from packer.images.descriptor import Descriptor

    config = manifest["config"]
    blob = Descriptor(
        digest=Digest(config["digest"]), size=config["size"], media_type=config["mediaType"]
    )
    labels: dict[str, str] = json.loads(b"".join(registry.blob(blob)))["config"]["Labels"]
    return labels


def test_the_page_s_commands_work_and_another_builder_makes_the_same(
    foundry: Foundry, made: dict[str, Any], second: SecondBuilder
) -> None:
    here = {
        "registry.example/base": f"{foundry.bases}/page",
        "base build": f"base build --root {foundry.root}",
        "base verify": f"base verify --root {foundry.root}",
        "tcp://elsewhere:1234": second.address,
    }
    # Each command has a shell of its own.
    export, *shown = commands("bases.md")
    for name, value in here.items():
        export = export.replace(name, value)
    variable, _, value = export.removeprefix("export ").partition("=")
    page = replace_environment(foundry.desk, **{variable: value})
    said = [done(command, page, here) for command in shown]
    digest = made["cpu"]["digest"]
    assert said[2].splitlines()[0] == f"{value}/cpu@{digest}"
    assert said[-1].split() == ["cpu:3.11", digest, "the", "same"]


def replace_environment(desk: Desk, **variables: str) -> Desk:
    """The same desk with other variables."""
    again = copy(desk)
    again.env = {**desk.env, **variables}
    return again


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A place for temporary files that holds no image, as a `/tmp` in memory may not."""
    with file_systems.small(tmp_path / "small", "1m") as folder:
        yield folder


def test_what_differs_is_named(foundry: Foundry, own: Path, small: Path) -> None:
    options = dockerfile(own, "RUN cat /proc/sys/kernel/random/uuid > /etc/lucky")
    built = foundry.build(*options, "--push", TMPDIR=str(small))
    assert foundry.registry("lab").has(PYTHON) == built[0]["digest"]
    told = foundry("verify", "--root", foundry.root, *options, TMPDIR=str(small))
    assert told.returncode == 1
    first, *rest = told.stdout.splitlines()
    assert first.startswith(f"lab:3.11  {built[0]['digest']}  differs: sha256:")
    assert any("etc/lucky  content" in line for line in rest)
    assert not [line for line in rest if "etc/lucky" not in line and "config" not in line]


class _Files(Quiet, SimpleHTTPRequestHandler):
    """The files of its directory."""


@contextmanager
def served(folder: Path, host: str) -> Iterator[str]:
    """The URL at which the files of a folder are."""
    handler = functools.partial(_Files, directory=str(folder))
    with WebServer(handler, host) as web:
        yield web.url


def standalone(layout: Layout, digest: Digest, folder: Path) -> None:
    """The Python of a base as a site's mirror would have it for uv, and the list that names it."""
    files = contents.files(
        layout, contents.read(layout, digest), lambda path: path.startswith(STACK_PYTHON)
    )
    with tarfile.open(folder / "python.tar.gz", "w:gz", compresslevel=1) as archive:
        for path, data in files.items():
            info = tarfile.TarInfo("python/" + path.removeprefix("usr/"))
            info.size, info.mode = len(data), 0o755
            archive.addfile(info, io.BytesIO(data))
    sha256 = Digest.of((folder / "python.tar.gz").read_bytes()).hex
    known = {
        "name": "cpython",
        "arch": {"family": "x86_64", "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": 3,
        "minor": 11,
        "patch": 2,
        "prerelease": "",
        "variant": None,
        "url": "URL/python.tar.gz",
        "sha256": sha256,
        "build": "20260101",
    }
    (folder / "list.json").write_text(json.dumps({"cpython-3.11.2-linux-x86_64-gnu": known}))


def test_a_python_that_the_distribution_lacks_comes_by_uv(
    foundry: Foundry, made: dict[str, Any], tmp_path: Path
) -> None:
    own, mirror = tmp_path / "own", tmp_path / "mirror"
    shutil.copytree(catalogues.home(), own)
    mirror.mkdir()
    debian, uv = '["python3", "python3-distutils"]', '"0.13.9"'
    file = own / "catalogue.toml"
    file.write_text(file.read_text().replace(f"packages = {debian}", f"uv = {uv}"))
    layout = Layout(foundry.desk.home / "cache" / "sendoff" / "bases" / "layout")
    standalone(layout, Digest(made["cpu"]["digest"]), mirror)
    with served(mirror, foundry.desk.site.gateway) as url:
        listed = mirror / "list.json"
        listed.write_text(listed.read_text().replace("URL", url))
        [base] = foundry.build(
            *("--catalogue", str(own), "--mirror", f"UV_PYTHON_DOWNLOADS_JSON_URL={url}/list.json"),
            *("--certificates", "/etc/ssl/certs/ca-certificates.crt", "cpu"),
            SENDOFF_CACHE=str(tmp_path / "cache"),
        )
    assert base["packages"]["cpython"] == "3.11.2"
    assert base["digest"] != made["cpu"]["digest"]
    image = contents.read(Layout(tmp_path / "cache" / "bases" / "layout"), Digest(base["digest"]))
    home = "/opt/python/cpython-3.11.2-linux-x86_64-gnu"
    assert image.labels["io.sendoff.base.python"] == f"{home}/bin/python3.11"


def refused(foundry: Foundry, *arguments: str, **env: str) -> Any:
    told = foundry.build(*arguments, **env)
    assert isinstance(told, dict), told
    assert told["fix"]
    return told


def test_a_step_that_fails_is_told_with_what_it_said(foundry: Foundry, own: Path) -> None:
    options = dockerfile(own, "RUN echo no such luck >&2; exit 3")
    new = {"SENDOFF_BASES": f"{foundry.bases}/failed", "SENDOFF_CACHE": str(own / "cache")}
    told = refused(foundry, *options, "--push", **new)
    assert told["code"] == "BUILD_FAILED"
    assert "no such luck" in told["evidence"]
    assert "exit code: 3" in told["cause"]
    [line] = foundry.json("list", *options, **new)
    assert not {"built", "pushed"} & line.keys()


def test_an_unknown_package_is_named(foundry: Foundry, own: Path) -> None:
    options = dockerfile(own, "RUN apt-get update && apt-get install -y libdoesnotexist9")
    told = refused(foundry, *options)
    assert told["code"] == "PACKAGE_UNKNOWN"
    assert "libdoesnotexist9" in told["message"]


def test_a_root_that_is_gone_is_named(foundry: Foundry, own: Path) -> None:
    gone = f"{foundry.root.partition('@')[0]}@{NOWHERE}"
    told = refused(foundry, *dockerfile(own), "--root", gone)
    assert told["code"] == "DIGEST_GONE"
    assert NOWHERE in told["message"]


def test_a_catalogue_that_says_nothing_is_refused_before_building(
    foundry: Foundry, own: Path
) -> None:
    options = dockerfile(own)
    file = own / "catalogue.toml"
    file.write_text(file.read_text().replace('about = "a', 'abuot = "a'))
    told = refused(foundry, *options, SENDOFF_BUILDER="unix:///nowhere")
    assert told["code"] == "CATALOGUE_MALFORMED"
    assert "[bases.lab]" in told["message"]
    assert "abuot" in told["cause"]


def test_without_a_builder_nothing_is_built(foundry: Foundry) -> None:
    told = refused(foundry, "cpu", SENDOFF_BUILDER="unix:///nowhere")
    assert (told["code"], told["retryable"]) == ("BUILDER_UNREACHABLE", True)
    assert refused(foundry, "cpu", SENDOFF_BUILDER="native")["code"] == "BUILDER_NEEDED"


def test_a_builder_that_dies_leaves_nothing(
    foundry: Foundry, site: Site, own: Path, gate: Gate
) -> None:
    step = f"RUN python3 -c '{Gate.WAIT.strip()}' {' '.join(gate.address)}"
    options, new = dockerfile(own, step), {"SENDOFF_CACHE": str(own / "cache")}
    command = ("base", "build", "--json", "--root", foundry.root, *options)
    with (
        SecondBuilder(site.stack.known["registry"]["address"]) as builder,
        foundry.desk.started(*command, SENDOFF_BUILDER=builder.address, **new) as process,
    ):
        gate.wait_for(1)
        builder.process.end()
        out, _ = process.communicate(timeout=60)
    told = json.loads(out)
    assert (told["code"], told["retryable"]) == ("BUILDER_DIED", True)
    [line] = foundry.json("list", *options, **new)
    assert "built" not in line


def test_a_registry_that_takes_nothing_gets_nothing(
    foundry: Foundry, made: dict[str, Any], tmp_path: Path
) -> None:
    assert made
    with RegistryProcess(tmp_path / "closed", read_only=True) as closed:
        told = foundry.json("push", "--bases", f"{closed.host}/bases", "cpu:3.11")
        assert told["code"] == "REGISTRY_READ_ONLY"
        repository = Repository(host=closed.host, path="bases/cpu")
        assert Registry(repository, Access(), tmp_path / "cache").tags() == []


def test_a_name_that_stands_for_nothing(foundry: Foundry, made: dict[str, Any]) -> None:
    assert made
    desk = foundry.desk
    told = desk.json("pack", SENDOFF_BASE="cuda-devel")
    assert told["code"] == "BASE_NOT_PUBLISHED"
    assert "sendoff base build --push cuda-devel" in told["fix"]
    told = desk.json("pack", SENDOFF_BASE="cpu", SENDOFF_BASES="")
    assert told["code"] == "BASES_UNSET"
    digest = made["cpu"]["digest"]
    registry = foundry.registry("other")
    assert registry.has(PYTHON) is None
    assert (
        desk.json("pack", SENDOFF_BASE=f"{foundry.bases}/cpu@{NOWHERE}")["code"] == "BASE_UNKNOWN"
    )
    assert desk.json("pack", SENDOFF_BASE=f"{foundry.bases}/cpu@{digest}")["python"].startswith(
        PYTHON
    )


def test_doctor_looks_at_the_base_by_its_name(foundry: Foundry, made: dict[str, Any]) -> None:
    assert made
    checks = foundry.desk.json("doctor")["checks"]
    [base] = [each for each in checks if each["area"] == "base"]
    assert (base["state"], base["what"]) == ("ok", "image")
