"""An environment with a source that compiles C and a Debian package, run as a Job on an H100."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.buildkit import docker_cli
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Gate, Site
from tests.e2e.cluster.test_pages import commands
from tests.git_repository import GitRepository
from tests.registries.process import RegistryProcess
from tests.stack.buildkit.second import SecondBuilder

MAIN = """\
import subprocess, crcmod._crcfunext as fast, crcmod
print(crcmod.predefined.mkCrcFun('crc-32')(b'123456789') == 0xCBF43926, fast.__name__)
print(subprocess.run(['hello'], capture_output=True, text=True).stdout.strip())
"""
SETTINGS = """\
[image]
apt = ["hello"]
run = ["hello > /etc/greeting"]
"""


@pytest.fixture(scope="module")
def workshop(site: Site, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose sandbox has a distribution of which there is no wheel, and a builder."""
    root = tmp_path_factory.mktemp("workshop")
    sandbox = sandboxes.with_packages(Path(__file__).with_name("sources.txt"))
    with pytest.MonkeyPatch.context() as patch:
        docker_cli(root / "cli", patch)
        variables = environment(sandbox, cache)
        desk = Desk(root, site, variables)
        desk.env["SENDOFF_BUILDER"] = site.stack.known["buildkitd"]["address"]
        desk.write("main.py", MAIN)
        yield desk
    desk.clear()


def test_what_has_to_be_run_is_built_and_runs_on_the_cluster(workshop: Desk) -> None:
    workshop.write("sendoff.toml", SETTINGS)
    told = workshop.json("pack")
    tasks = {(each["builder"], each["takes"]): each["makes"] for each in told["tasks"]}
    assert tasks["buildkit", "apt: hello"] == "base"
    assert tasks["buildkit", "crcmod-1.7.tar.gz"] == "wheel crcmod 1.7"
    assert ("native", "2 wheels") in tasks
    (crcmod,) = [each for each in told["distributions"] if each["name"] == "crcmod"]
    assert (crcmod["how"], crcmod["why"]) == ("wheel", "built from crcmod-1.7.tar.gz")
    run = workshop.sent("run", "--gpu", "h100", "--", "python", "main.py")
    workshop.done("wait", run)
    logged = workshop.done("logs", run)
    assert "True crcmod._crcfunext" in logged
    assert "Hello, world!" in logged


def test_explain_lists_who_did_what(workshop: Desk) -> None:
    workshop.write("sendoff.toml", SETTINGS)
    told = workshop.done("pack", "--explain")
    lines = [" ".join(line.split()) for line in told.splitlines()]
    at = lines.index("builders:")
    assert lines[at + 1 : at + 6] == [
        "buildkit apt: hello → base",
        "buildkit run: hello > /etc/greeting → base",
        "buildkit crcmod-1.7.tar.gz → wheel crcmod 1.7",
        "native 2 wheels → 2 layers",
        "native project, runner, command → run image",
    ]


def test_buildkit_can_install_the_whole_environment(workshop: Desk) -> None:
    workshop.write("sendoff.toml", SETTINGS)
    address = workshop.env["SENDOFF_BUILDER"]
    native = workshop.json("pack", "--builder", address)
    whole = workshop.json("pack", "--builder", f"buildkit+{address}")
    assert [each["builder"] for each in whole["tasks"]][-2:] == ["buildkit", "native"]
    assert native["environment"] != whole["environment"]
    run = workshop.sent("run", "--builder", f"buildkit+{address}", "--", "python", "main.py")
    workshop.done("wait", run)
    assert "True crcmod._crcfunext" in workshop.done("logs", run)


def test_without_a_builder_it_is_refused_with_what_to_do(workshop: Desk, tmp_path: Path) -> None:
    workshop.write("sendoff.toml", "")
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock", "SENDOFF_BUILDER": ""}
    refused = workshop.json("pack", **nowhere, SENDOFF_CACHE=str(tmp_path / "cache"))
    assert refused["code"] == "BUILDER_NEEDED"
    assert "crcmod-1.7.tar.gz" in refused["message"]
    assert "--builder docker" in refused["fix"]
    packed = workshop.json("pack", "--builder", "native")
    (crcmod,) = [each for each in packed["distributions"] if each["name"] == "crcmod"]
    assert crcmod["how"] == "files"
    unreachable = workshop.json(
        "pack", SENDOFF_CACHE=str(tmp_path / "cache"), SENDOFF_BUILDER="unix:///nowhere"
    )
    assert unreachable["code"] == "BUILDER_UNREACHABLE"


STEPS = '{"apt": ["hello"], "run": ["echo never"]}'


@pytest.fixture
def torch(workshop: Desk, tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """CUDA → variables of the workshop's sandbox with torch for it, and of a builder nowhere."""

    def installed(cuda: str) -> dict[str, str]:
        sandbox = tmp_path / cuda
        shutil.copytree(workshop.env["VIRTUAL_ENV"], sandbox, symlinks=True)
        (packages,) = sandbox.glob("lib/python3*/site-packages")
        info = packages / f"torch-2.5.1+{cuda}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: torch\nVersion: 2.5.1+{cuda}\n"
        (info / "METADATA").write_text(metadata)
        (info / "RECORD").write_text(f"torch.py,,\n{info.name}/METADATA,,\n")
        (packages / "torch.py").touch()
        return {
            **environment(sandbox, tmp_path / f"cache-{cuda}"),
            "SENDOFF_BUILDER": "unix:///nowhere",
        }

    return installed


def test_what_the_class_can_not_run_is_told_before_anything_is_built(
    workshop: Desk, torch: Callable[[str], dict[str, str]]
) -> None:
    workshop.write("sendoff.toml", "")
    old = torch("cu118")
    for image in (STEPS, "{}"):
        refused = workshop.json("pack", "--gpu", "b200", **old, SENDOFF_IMAGE=image)
        assert refused["code"] == "CUDA_UNFIT", refused
        assert "torch 2.5.1+cu118" in refused["evidence"]
        # Where the class can, there is something to build.
        refused = workshop.json("pack", "--gpu", "h100", **old, SENDOFF_IMAGE=image)
        assert refused["code"] == "BUILDER_UNREACHABLE", refused


def test_17_a_driver_that_is_too_old_is_told_before_anything_is_built(
    workshop: Desk, torch: Callable[[str], dict[str, str]]
) -> None:
    workshop.write("sendoff.toml", 'tolerations = ["kwok.x-k8s.io/node"]\n')
    new, before = torch("cu121"), workshop.site.registry_log_size()
    runs = workshop.json("ps", "--group", workshop.group)
    command = ["--", "python", "main.py"]
    refused = workshop.json("run", "--gpu", "v100", *command, **new, SENDOFF_IMAGE=STEPS)
    assert refused["code"] == "DRIVER_TOO_OLD", refused
    assert "450.80.02" in refused["evidence"]
    told = workshop("run", "--gpu", "v100", *command, **new)
    assert told.returncode == 125
    assert "525.60.13" in told.stderr
    for how in ((), ("--dry-run",)):
        refused = workshop.json("pack", "--gpu", "v100", *how, **new, SENDOFF_IMAGE=STEPS)
        assert refused["code"] == "DRIVER_TOO_OLD", refused
    # The drivers of another class will do.
    refused = workshop.json("run", "--gpu", "h100", *command, **new, SENDOFF_IMAGE=STEPS)
    assert refused["code"] == "BUILDER_UNREACHABLE", refused
    assert workshop.site.written_of_images(after=before) == []
    assert workshop.json("ps", "--group", workshop.group) == runs


EXTENSION = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *_) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "odd", 0, -1, methods};
PyMODINIT_FUNC PyInit_odd(void) { return PyModule_Create(&module); }
"""
SETUP = "from setuptools import Extension, setup\n"
SETUP += "setup(name='odd', version='1.0', ext_modules=[Extension('odd', ['odd.c'])])\n"


def test_what_was_compiled_from_a_commit_is_built_from_it(workshop: Desk, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "odd")
    commit = repository.commit({"setup.py": SETUP, "odd.c": f"#define ANSWER 42\n{EXTENSION}"})
    sandbox = sandboxes.empty(tmp_path / "venv")
    origin = f"git+{repository.url}@{commit}"
    install = [sandboxes.TOOLS / "uv", "pip", "install", "-q", "--python", sandbox, origin]
    subprocess.run(install, check=True)
    repository.commit({"odd.c": f"#define ANSWER 43\n{EXTENSION}"})
    workshop.write("sendoff.toml", "")
    workshop.write("answer.py", "import odd; print(odd.answer(), odd.__file__)")
    variables = environment(sandbox, tmp_path / "cache")
    variables["SENDOFF_BUILDER"] = workshop.env["SENDOFF_BUILDER"]
    told = workshop.json("pack", **variables)
    assert [each["why"] for each in told["distributions"]] == [
        f"built from git {repository.url}@{commit[:12]}"
    ]
    run = workshop.sent("run", "--", "python", "answer.py", **variables)
    workshop.done("wait", run)
    assert "42 /opt/sendoff/env/lib/python3" in workshop.done("logs", run)


def test_what_was_compiled_from_an_archive_that_was_made_anew_is_built_anew(
    workshop: Desk, tmp_path: Path
) -> None:
    sandbox = sandboxes.empty(tmp_path / "venv")
    packed = tmp_path / "odd-1.0.tar.gz"

    def pack(answer: int) -> None:
        source = tmp_path / f"{answer}" / "odd-1.0"
        source.mkdir(parents=True)
        (source / "setup.py").write_text(SETUP.replace("ext_", "py_modules=['about'], ext_"))
        (source / "odd.c").write_text(f"#define ANSWER {answer}\n{EXTENSION}")
        (source / "about.py").write_text(f"answer = {answer}\n")
        with tarfile.open(packed, "w:gz") as made:
            made.add(source, source.name)

    def install() -> None:
        # uv records no hash of a file.
        install = [sandboxes.TOOLS / "uv", "pip", "install", "-q", "--no-cache", "--reinstall"]
        subprocess.run([*install, "--python", sandbox, packed], check=True)

    workshop.write("sendoff.toml", "")
    builder = {"SENDOFF_BUILDER": workshop.env["SENDOFF_BUILDER"]}
    variables = {**environment(sandbox, tmp_path / "cache"), **builder}
    images = []
    for answer in (42, 43):
        pack(answer)
        install()
        told = workshop.json("pack", **variables)
        assert any("no hash was recorded" in each for each in told["warnings"])
        images.append(told["environment"])
    assert images[0] != images[1]
    pack(44)
    refused = workshop.json("pack", **environment(sandbox, tmp_path / "fresh"), **builder)
    assert refused["code"] == "SOURCE_ALTERED", refused
    assert "about.py" in refused["cause"]


def test_a_dry_run_builds_nothing(workshop: Desk, tmp_path: Path) -> None:
    workshop.write("sendoff.toml", SETTINGS)
    fresh = {"SENDOFF_CACHE": str(tmp_path / "cache"), "SENDOFF_BUILDER": "unix:///nowhere"}
    told = workshop.json("pack", "--dry-run", **fresh)
    (crcmod,) = [each for each in told["arrivals"] if each["name"] == "crcmod"]
    assert (crcmod["how"], crcmod["why"]) == ("wheel", "built from crcmod-1.7.tar.gz")
    # What was not built is not believed to be.
    refused = workshop.json("pack", **fresh, SENDOFF_IMAGE="{}")
    assert refused["code"] == "BUILDER_UNREACHABLE"
    packed = workshop.json("pack", SENDOFF_CACHE=str(tmp_path / "cache"))
    assert "wheel crcmod 1.7" in [each["makes"] for each in packed["tasks"]]
    assert told["tasks"] == packed["tasks"]


def test_the_commands_of_the_page_work(workshop: Desk) -> None:
    shown = commands("builders.md")
    assert len(shown) == 3
    workshop.write("sendoff.toml", "")
    workshop.write("main.py", MAIN.splitlines()[0].replace("subprocess, ", "") + "\n")
    socket = workshop.env["SENDOFF_BUILDER"]
    for command in shown:
        words = command.replace("unix:///run/buildkit/buildkitd.sock", socket).split()
        assert words[0] == "sendoff"
        workshop.done(*words[1:])


def test_the_doctor_looks_for_the_builder_that_is_set(workshop: Desk) -> None:
    workshop.write("sendoff.toml", "")

    def found(**env: str) -> str:
        checks = workshop.json("doctor", **env)["checks"]
        return next(each["state"] for each in checks if each["area"] == "builder")

    assert found() == "ok"
    assert found(SENDOFF_BUILDER="unix:///nowhere") == "problem"


def test_what_a_step_said_is_shown(workshop: Desk) -> None:
    failing = '{"run": ["echo one; echo two >&2; exit 3"]}'
    told = workshop("pack", SENDOFF_IMAGE=failing)
    assert told.returncode == 125
    # Of two streams, either may be read first.
    said = {line.strip() for line in told.stderr.splitlines() if "|" in line}
    assert said == {"| one", "| two"}
    assert "exit code: 3" in told.stderr


def test_a_builder_that_dies_leaves_nothing(workshop: Desk, gate: Gate, tmp_path: Path) -> None:
    workshop.write("sendoff.toml", "")
    step = f"python3 -c '{Gate.WAIT.strip()}' {' '.join(gate.address)}"
    image = {"SENDOFF_IMAGE": json.dumps({"run": [step]})}
    registry = Registry(Repository.parse(workshop.site.registry), Access(), tmp_path / "registry")
    before = registry.tags()
    with (
        SecondBuilder(workshop.site.stack.known["registry"]["address"]) as builder,
        workshop.started("pack", "--json", SENDOFF_BUILDER=builder.address, **image) as process,
    ):
        gate.wait_for(1)
        builder.process.end()
        out, _ = process.communicate(timeout=60)
    told = json.loads(out)
    assert (told["code"], told["retryable"]) == ("BUILDER_DIED", True)
    assert registry.tags() == before


def test_a_registry_that_takes_nothing_gets_nothing(workshop: Desk, tmp_path: Path) -> None:
    workshop.write("sendoff.toml", "")
    with RegistryProcess(tmp_path / "closed", read_only=True) as closed:
        told = workshop.json(
            "pack", SENDOFF_REGISTRY=f"{closed.host}/lab", SENDOFF_IMAGE='{"run": ["true"]}'
        )
        assert told["code"] == "REGISTRY_READ_ONLY", told
        assert "docker login" not in told["fix"]
        place = Repository(host=closed.host, path="lab")
        assert Registry(place, Access(), tmp_path / "registry").tags() == []


def test_an_image_s_steps_need_a_builder_too(workshop: Desk) -> None:
    workshop.write("sendoff.toml", SETTINGS.replace("hello", "cowsay"))
    refused = workshop.json("pack", "--builder", "native")
    assert refused["code"] == "BUILDER_NEEDED"
    unknown = workshop("pack", "--json", SENDOFF_IMAGE='{"apt": ["no-such-package"]}')
    assert '"PACKAGE_UNKNOWN"' in unknown.stdout
