"""Reproducing on `local`: real processes, a sandbox with all that an environment may have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from packer.digest import Digest
from packer.images.layout_shelf import LayoutShelf
from packer.registry.artifact import Artifact
from tests.e2e import desk as desks
from tests.e2e import sandboxes
from tests.e2e.sandboxes import TOOLS

TRAIN = """\
import json, random, sys, six
seed = sys.argv[1]
random.seed(int(seed) if seed.isdigit() else None)
loss = 1 + random.random() / 1000
open("model.bin", "w").write(repr(loss))
json.dump({"loss": loss}, open("metrics.json", "w"))
print(f"step 1\\rstep 2\\rloss: {loss}")
"""


class Desk(desks.Desk):
    """A project, and the command line in it."""

    def __init__(self, folder: Path, sandbox: Path, home: Path | None = None) -> None:
        super().__init__(folder, desks.environment(sandbox, SENDOFF_WARM="0"))
        self.home = home or folder
        self.env["HOME"] = str(self.home)

    def python(self, code: str) -> str:
        """What a program prints that has sendoff beside it."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ran(self, *command: str, flags: tuple[str, ...] = ()) -> Any:
        done = self("run", "--json", *flags, "--", *command)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of an index, one changed by hand, files of nobody, and an editable elsewhere."""
    folder = tmp_path_factory.mktemp("sandbox")
    beside = folder / "beside"
    (beside / "src" / "beside").mkdir(parents=True)
    (beside / "src" / "beside" / "__init__.py").write_text("value = 3\n")
    (beside / "pyproject.toml").write_text(
        '[project]\nname = "beside"\nversion = "1.0"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    venv = sandboxes.empty(folder / "venv")
    install = [str(TOOLS / "uv"), "pip", "install", "-q", "--python", str(venv)]
    subprocess.run([*install, "six==1.17.0", "idna==3.10", "-e", str(beside)], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    # Not through the link: the other end of it is in uv's cache.
    text = (site / "six.py").read_text()
    (site / "six.py").unlink()
    (site / "six.py").write_text(text + "# changed by hand\n")
    (site / "idna" / "uts46data.py").unlink()
    (site / "loose.py").write_text("here = True\n")
    return venv


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sandbox: Path) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"), sandbox)
    project = made.project
    (project / "train.py").write_text(TRAIN)
    (project / "package" / "empty").mkdir(parents=True)
    (project / "package" / "module.py").write_text("x = 1\n")
    (project / "link.py").symlink_to("package/module.py")
    (project / "tool.sh").write_text("#!/bin/sh\necho hello\n")
    (project / "tool.sh").chmod(0o755)
    (project / os.fsdecode(b"n\xffme.txt")).write_text("not UTF-8\n")
    return made


@pytest.fixture(scope="module")
def run(desk: Desk) -> Any:
    return desk.ran("python", "train.py", "7")


def levels(report: Any) -> dict[str, bool | None]:
    return {each["name"]: each["holds"] for each in report["levels"]}


def test_the_same_seed_gives_the_same_bytes(desk: Desk, run: Any) -> None:
    report = desk.json("reproduce", run["digest"])
    assert levels(report) == {"L0": True, "L1": None, "L2": True, "L3": True}
    assert (report["holds"], report["level"], report["files"]) == (True, "L2", 2)
    assert report["failure"] is None
    assert report["run"] != run["id"]


def test_a_person_gets_a_report_and_the_commands_words_apart(desk: Desk, run: Any) -> None:
    done = desk("reproduce", run["id"])
    assert done.returncode == 0, done.stderr
    assert "L2* bitwise      holds" in done.stdout
    assert "loss: " not in done.stdout
    assert "step 1\nstep 2\nloss: " in done.stderr, "as text has it"


def test_packing_again_gives_the_digest_and_runs_nothing(desk: Desk, run: Any) -> None:
    before = desk.json("ps")
    report = desk.json("reproduce", run["digest"], "--level", "L1")
    assert levels(report) == {"L0": None, "L1": True, "L2": None, "L3": None}
    assert (report["holds"], report["level"], report["run"]) == (True, "L1", "")
    assert desk.json("ps") == before


def test_another_environment_of_the_same_python_packs_the_same(
    desk: Desk, run: Any, tmp_path: Path
) -> None:
    python = sandboxes.empty(tmp_path / "venv") / "bin/python"
    same = desk.json("reproduce", run["digest"], "--level", "L1", "--python", str(python))
    assert same["holds"], same


def test_another_interpreter_is_told_as_the_first_difference(
    desk: Desk, run: Any, tmp_path: Path
) -> None:
    other = sandboxes.another_minor(tmp_path / "interpreters")
    asked = ("--level", "L1", "--python", other.executable)
    done = desk("reproduce", run["digest"], "--json", *asked)
    report = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert levels(report) == {"L0": None, "L1": False, "L2": None, "L3": None}
    was = desk.json("show", run["digest"])["labels"]["python"]
    found = report["difference"]
    assert (found["what"], found["was"], found["now"]) == ("environment", was, other.version)
    assert "bytecode" in found["detail"]
    assert report["failure"]["code"] == "ENV_DRIFT"
    assert "uv python install" in report["failure"]["fix"]


def test_identity_alone_may_be_asked_for(desk: Desk) -> None:
    ran = desk.ran("python", "train.py", "none")
    report = desk.json("reproduce", ran["id"], "--level", "L0")
    assert (report["asked"], report["holds"], report["failure"]) == ("L0", True, None), report
    assert levels(report) == {"L0": True, "L1": None, "L2": False, "L3": True}


def test_no_seed_fails_bitwise_and_says_which_file_first(desk: Desk) -> None:
    ran = desk.ran("python", "train.py", "none")
    done = desk("reproduce", ran["id"], "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 3
    assert levels(report) == {"L0": True, "L1": None, "L2": False, "L3": True}
    assert (report["level"], report["holds"]) == ("L3", False)
    assert report["difference"]["what"] == "outputs"
    assert report["difference"]["detail"] == "metrics.json"
    assert report["cause"]["what"] == "seed"
    assert report["failure"]["code"] == "OUTPUT_MISMATCH"
    assert "--deterministic" in report["failure"]["fix"]
    within = desk("reproduce", ran["id"], "--rtol", "0.01", "--json")
    assert within.returncode == 0
    assert json.loads(within.stdout)["asked"] == "L3"
    beyond = desk("reproduce", ran["id"], "--rtol", "0", "--json")
    assert beyond.returncode == 3
    assert json.loads(beyond.stdout)["difference"]["detail"] == "loss"


def test_an_image_tells_its_runs_and_what_it_is(desk: Desk, run: Any) -> None:
    shown = desk.json("show", run["digest"][:20])
    assert shown["digest"] == run["digest"]
    assert shown["command"] == ["python", "train.py", "7"]
    assert run["id"] in [each["run"]["id"] for each in shown["runs"]]
    table = desk("show", run["digest"]).stdout
    assert f"{run['id']}  " in table
    environment = desk.json("reproduce", shown["labels"]["environment"])
    assert environment["code"] == "NO_RUN_IMAGE"
    assert environment["cause"].startswith("it is an environment image")


def test_a_pack_without_a_run_is_run_and_there_is_nothing_to_compare(desk: Desk) -> None:
    packed = desk.json("pack", "--", "python", "train.py", "99")
    digest = packed["images"][0]
    done = desk("reproduce", digest, "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["failure"]["code"] == "NOTHING_TO_COMPARE"
    assert desk.json("reproduce", digest)["level"] == "L2"


def test_what_is_exported_is_built_again_without_us(
    desk: Desk, run: Any, sandbox: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exported"
    told = desk.json("export", run["digest"], str(folder))
    assert told["missing"] == []
    command = json.loads((folder / "command.json").read_text())
    assert command["command"] == ["python", "train.py", "7"]
    assert (folder / "tree" / "package" / "empty").is_dir()
    assert os.access(folder / "tree" / "tool.sh", os.X_OK)
    assert (folder / "tree" / "link.py").is_symlink()
    # By uv alone: the wheels of the lock, then the files that came without one.
    venv = sandboxes.empty(tmp_path / "venv")
    install = [str(TOOLS / "uv"), "pip", "install", "-q", "--python", str(venv)]
    subprocess.run([*install, "-r", str(folder / "pylock.toml")], check=True)
    shutil.copytree(folder / "files", venv, dirs_exist_ok=True)
    site = next(venv.glob("lib/python*/site-packages"))
    original = next(sandbox.glob("lib/python*/site-packages"))
    for name in ("six.py", "loose.py", "idna/core.py"):
        assert (site / name).read_bytes() == (original / name).read_bytes(), name
    dockerfile = (folder / "Dockerfile").read_text()
    assert 'CMD ["python", "train.py", "7"]' in dockerfile
    assert "idna/uts46data.py" in dockerfile
    done = subprocess.run(
        [venv / "bin/python", *command["command"][1:]],
        cwd=folder / "tree",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fetched = Path(desk("get", run["id"], "model.bin", "-o", str(tmp_path)).stdout.strip())
    assert (folder / "tree" / "model.bin").read_text() == fetched.read_text()


def test_an_export_of_plain_wheels_packs_to_the_same_digest(tmp_path: Path) -> None:
    venv = sandboxes.empty(tmp_path / "first")
    install = [str(TOOLS / "uv"), "pip", "install", "-q", "--python"]
    subprocess.run([*install, str(venv), "six==1.17.0"], check=True)
    desk = Desk(tmp_path / "desk", venv)
    (desk.project / "train.py").write_text(TRAIN)
    ran = desk.ran("python", "train.py", "1")
    told = desk.json("export", ran["id"], str(tmp_path / "exported"))
    again = sandboxes.empty(tmp_path / "second")
    lock = f"{told['folder']}/pylock.toml"
    subprocess.run([*install, str(again), "-r", lock], check=True)
    other = Desk(tmp_path / "other", again)
    shutil.copytree(f"{told['folder']}/tree", other.project, dirs_exist_ok=True)
    assert other("pack", "--", "python", "train.py", "1").stdout.strip() == ran["digest"]
    taken = desk.json("export", ran["id"], told["folder"])
    assert taken["code"] == "FOLDER_TAKEN"


def test_what_differs_between_two_runs(desk: Desk, run: Any) -> None:
    (desk.project / "train.py").write_text(TRAIN + "# one more line\n")
    try:
        other = desk.ran("python", "train.py", "8", flags=("--env", "MODE=fast"))
    finally:
        (desk.project / "train.py").write_text(TRAIN)
    found = desk.json("diff", run["id"], other["digest"])
    changed = {
        section: [each["name"] for each in found[section]]
        for section in ("files", "packages", "base", "metrics", "outputs")
    }
    assert changed == {
        "files": ["train.py"],
        "packages": [],
        "base": [],
        "metrics": ["loss"],
        "outputs": ["metrics.json", "model.bin"],
    }
    assert {each["name"] for each in found["request"]} == {"command", "$MODE"}
    assert desk.json("diff", run["id"], run["digest"])["same"] is True
    assert "~ train.py" in desk("diff", run["id"], other["id"]).stdout


def test_the_same_request_is_answered_from_the_store(desk: Desk) -> None:
    first = desk.ran("python", "train.py", "21")
    assert first["reused"] is False
    again = desk.ran("python", "train.py", "21", flags=("--reuse",))
    assert (again["id"], again["reused"]) == (first["id"], True)
    told = desk("run", "--reuse", "--", "python", "train.py", "21")
    assert "answered from the store" in told.stderr
    assert "loss: " in told.stdout
    other = desk.ran("python", "train.py", "21", flags=("--reuse", "--env", "A=1"))
    assert other["reused"] is False
    failing = ("python", "-c", "raise SystemExit(4)")
    failed = desk.ran(*failing)
    assert failed["state"] == "failed"
    assert desk.ran(*failing, flags=("--reuse",))["id"] != failed["id"]


def test_determinism_is_set_and_recorded(desk: Desk) -> None:
    code = (
        "import os; print(os.environ['PYTHONHASHSEED'], os.environ['CUBLAS_WORKSPACE_CONFIG'],"
        " os.environ['OMP_NUM_THREADS'], os.environ['MKL_CBWR'])"
    )
    flags = ("--deterministic", "--cpus", "2", "--env", "MKL_CBWR=AVX2")
    ran = desk.ran("python", "-c", code, flags=flags)
    assert desk("logs", ran["id"]).stdout == "0 :4096:8 2 AVX2\n"
    shown = desk.json("show", ran["digest"])
    assert shown["request"]["deterministic"] is True
    assert shown["variables"]["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert desk.json("show", ran["id"])["request"]["deterministic"] is True
    report = desk.json("reproduce", ran["digest"])
    assert report["level"] == "L2", report


def test_an_input_is_part_of_the_digest_and_has_to_be_in_the_store(
    desk: Desk, tmp_path: Path
) -> None:
    data = tmp_path / "data.txt"
    digests = []
    for text in ("one", "two"):
        data.write_text(text)
        flags = ("--input", f"{data}:given.txt")
        ran = desk.ran("python", "-c", "print(open('given.txt').read())", flags=flags)
        digests.append(ran["digest"])
    assert len(set(digests)) == 2
    assert desk.json("reproduce", digests[0])["level"] == "L2"
    elsewhere = desk.json("reproduce", digests[0], SENDOFF_STORE=str(tmp_path / "empty"))
    assert elsewhere["code"] == "INPUT_GONE"


def test_another_machine_needs_the_layout_alone(
    desk: Desk, run: Any, sandbox: Path, tmp_path: Path
) -> None:
    other = Desk(tmp_path, sandbox)
    registry = str(desk.home / ".local/share/sendoff/registry")
    copied = shutil.copytree(registry, tmp_path / "copied")
    report = other.json("reproduce", run["digest"], SENDOFF_REGISTRY=str(copied))
    assert report["level"] == "L2", report
    assert other.json("ps")[0]["id"] == report["run"]


def test_records_of_a_later_version_are_refused_as_such(desk: Desk, tmp_path: Path) -> None:
    ran = desk.ran("python", "train.py", "5")
    copied = shutil.copytree(desk.home / ".local/share/sendoff/registry", tmp_path / "copied")
    shelf = LayoutShelf(copied)
    digest = Digest(ran["digest"])
    (known,) = shelf.referrers(digest)
    later = shelf.document(known).replace(b"sendoff.referral/1", b"sendoff.referral/2")
    other = desk.json("pack", "--", "python", "train.py", "6")
    lone = Digest(other["images"][0])
    shutil.rmtree(copied)
    shutil.copytree(desk.home / ".local/share/sendoff/registry", copied)
    shelf = LayoutShelf(copied)
    shelf.attach_all({lone: [Artifact(kind=known.kind, data=later)]})
    for verb in ("reproduce", "show"):
        refused = desk.json(verb, lone, SENDOFF_REGISTRY=str(copied))
        assert refused["code"] == "NEWER_SENDOFF_NEEDED", refused
        assert "newer sendoff is needed" in refused["message"]


@pytest.mark.parametrize("name", ["run.json", "0/manifest.json"])
def test_a_run_whose_records_are_newer_is_refused_as_such(
    desk: Desk, run: Any, tmp_path: Path, name: str
) -> None:
    store = shutil.copytree(desk.home / ".local/share/sendoff/store", tmp_path / "store")
    path = store / "runs" / run["id"] / name
    kind = name.rpartition("/")[2].partition(".")[0]
    text = path.read_text()
    assert f'"sendoff.{kind}/1"' in text
    path.write_text(text.replace(f'"sendoff.{kind}/1"', f'"sendoff.{kind}/2"'))
    for verb in ("reproduce", "show"):
        refused = desk.json(verb, run["id"], SENDOFF_STORE=str(store))
        assert refused["code"] == "NEWER_SENDOFF_NEEDED", refused
        assert f"sendoff.{kind}/2" in refused["evidence"], refused


def test_names_that_mean_nothing(desk: Desk) -> None:
    assert desk.json("reproduce", "sha256:" + 64 * "0")["code"] == "DIGEST_GONE"
    assert desk.json("reproduce", "sha256:0000000")["code"] == "DIGEST_GONE"
    assert desk.json("reproduce", "no-such-run")["code"] == "RUN_UNKNOWN"


@pytest.fixture(scope="module")
def swept(desk: Desk) -> str:
    told = desk.json("sweep", "-p", "s=1,none,3", "--", "python", "train.py", "{s}")
    return str(told["id"])


def test_all_indexes_are_run_again_as_one_run(desk: Desk, swept: str) -> None:
    done = desk("reproduce", swept, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 3
    assert [each["holds"] for each in report["indexes"]] == [True, False, True]
    assert levels(report) == {"L0": True, "L1": None, "L2": False, "L3": True}
    assert (report["asked"], report["holds"], report["earlier"]) == ("L2", False, swept)
    assert report["digest"] == report["indexes"][1]["digest"]
    assert report["difference"] == report["indexes"][1]["difference"]
    assert [each["earlier"] for each in report["indexes"]] == [f"{swept}/{n}" for n in range(3)]
    assert [each["run"] for each in report["indexes"]] == [f"{report['run']}/{n}" for n in range(3)]
    assert report["files"] == 6
    assert desk.json("show", report["run"])["provenance"]["reproduces"] == swept
    within = desk("reproduce", swept, "--rtol", "0.01")
    assert within.returncode == 0, within.stderr
    rows = [line.split() for line in within.stdout.splitlines() if line.startswith(swept)]
    assert [row[0] for row in rows] == [f"{swept}/{n}" for n in range(3)]
    assert "L3* statistical  holds          of each of 3 indexes" in within.stdout


def test_one_of_several_indexes_alone(desk: Desk, swept: str) -> None:
    report = desk.json("reproduce", f"{swept}/2")
    assert (report["level"], report["indexes"], report["earlier"]) == ("L2", [], f"{swept}/2")


def test_all_images_of_a_run_are_packed_again(desk: Desk, swept: str) -> None:
    report = desk.json("reproduce", swept, "--level", "L1")
    assert [each["level"] for each in report["indexes"]] == ["L1", "L1", "L1"], report
    assert (report["holds"], report["run"]) == (True, "")


def test_a_digest_means_each_index_that_ran_it(desk: Desk) -> None:
    code = (
        "import sendoff\n"
        "run = sendoff.ship_many([['python', 'train.py', '4']] * 2)\n"
        "print(run.wait().id, run.digests[0])\n"
    )
    run, digest = desk.python(code).split()
    report = desk.json("reproduce", digest)
    assert report["level"] == "L2"
    assert [each["earlier"] for each in report["indexes"]] == [f"{run}/0", f"{run}/1"]


def test_python_reproduces_too(desk: Desk, run: Any) -> None:
    code = (
        "import sendoff, sys\n"
        f"report = sendoff.reproduce({run['digest']!r})\n"
        "print(report.level, report.holds, report.failure())\n"
        f"print(sendoff.diff({run['id']!r}, report.run).same)\n"
        "run = sendoff.ship(['python', 'train.py', '7'], reuse=True)\n"
        "print(run.reused, run.wait().state)\n"
    )
    assert desk.python(code) == "L2 True None\nTrue\nTrue succeeded\n"
