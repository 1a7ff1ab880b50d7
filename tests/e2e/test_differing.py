"""What `diff` and `reproduce` name where packages, base or hardware are not what they were."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from packer.digest import Digest
from packer.images.layout import Layout
from tests import nvml
from tests.e2e import sandboxes
from tests.e2e.desk import Desk, environment
from tests.e2e.sandboxes import TOOLS

# What it writes is what the driver says.
ASK = """\
import ctypes
nvml = ctypes.CDLL("libnvidia-ml.so.1")
nvml.nvmlInit_v2()
text = ctypes.create_string_buffer(96)
nvml.nvmlSystemGetDriverVersion(text, 96)
driver = text.value.decode()
nvml.nvmlDeviceGetName(ctypes.c_void_p(1), text, 96)
open("told.txt", "w").write(f"{driver} {text.value.decode()}")
"""


class Place(Desk):
    """A desk whose machine has GPUs, of which its owner gets others."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, environment(sandboxes.empty(folder / "venv"), SENDOFF_WARM="0"))
        self.driver = nvml.build(folder / "driver")
        self.write("ask.py", ASK)
        self.write("sendoff.toml", f'[env]\nLD_LIBRARY_PATH = "{self.driver}"\n')

    def ran(self) -> Any:
        return self.json("run", "--gpu", "h100:2", "--", "python", "ask.py")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("other", "cause", "was", "now"),
    [
        ({"driver": "570.1"}, "driver", "550.54.14", "570.1"),
        ({"name": "NVIDIA H200"}, "gpu", "2 × NVIDIA H100", "2 × NVIDIA H200"),
    ],
)
def test_other_hardware_is_the_cause_of_other_outputs(
    place: Place, other: dict[str, str], cause: str, was: str, now: str
) -> None:
    ran = place.ran()
    assert place("reproduce", ran["id"]).returncode == 0
    nvml.build(place.driver, **other)
    done = place("reproduce", ran["id"], "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert report["difference"]["what"] == "outputs"
    assert report["difference"]["detail"] == "told.txt"
    found = report["cause"]
    assert (found["what"], found["was"], found["now"]) == (cause, was, now)
    assert report["failure"]["code"] == "HARDWARE_DIFFERS"
    assert was in report["failure"]["fix"]
    assert report["hardware"]["was"] != report["hardware"]["now"]
    changed = place.json("diff", ran["id"], report["run"])["hardware"]
    key, value = next(iter(other.items()))
    assert {each["name"] for each in changed} == {f"gpu 0 {key}", f"gpu 1 {key}"}
    assert {each["now"] for each in changed} == {value}
    assert f"~ gpu 0 {key}" in place.done("diff", ran["id"], report["run"])


def active(sandbox: Path) -> dict[str, str]:
    """The variables by which another sandbox is the active one."""
    own = environment(sandbox)
    return {"VIRTUAL_ENV": own["VIRTUAL_ENV"], "PATH": own["PATH"]}


def with_packages(venv: Path, *packages: str) -> dict[str, str]:
    """A sandbox with these packages, as the active one."""
    sandboxes.empty(venv)
    install = [TOOLS / "uv", "pip", "install", "-q", "--python", venv]
    subprocess.run([*install, *packages], check=True)
    return active(venv)


def changed(desk: Desk, was: str, now: str) -> dict[str, list[tuple[str, ...]]]:
    """What `diff` tells, less the sections that have nothing."""
    found = desk.json("diff", was, now)
    assert found["unknown"] == []
    return {
        section: [
            tuple(each.get(key, "") for key in ("name", "how", "was", "now")) for each in changes
        ]
        for section, changes in found.items()
        if isinstance(changes, list) and section not in ("runs", "unknown") and changes
    }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, environment(sandboxes.empty(tmp_path / "venv"), SENDOFF_WARM="0"))
    made.write("main.py", "print(1)\n")
    return made


def packed(desk: Desk, **env: str) -> str:
    (digest,) = desk.json("pack", "--", "python", "main.py", **env)["images"]
    return str(digest)


def test_packages_of_other_versions_are_named(desk: Desk, tmp_path: Path) -> None:
    older = packed(desk, **with_packages(tmp_path / "older", "six==1.16.0"))
    newer = packed(desk, **with_packages(tmp_path / "newer", "six==1.17.0", "idna==3.10"))
    found = changed(desk, older, newer)
    assert list(found) == ["packages"]
    (idna, six) = found["packages"]
    assert (idna[:3], idna[3].split()[0]) == (("idna", "added", ""), "3.10")
    assert six[:2] == ("six", "changed")
    assert [text.split()[0] for text in six[2:]] == ["1.16.0", "1.17.0"]
    # Beside the version there is the sha256 of the wheel.
    assert [len(text.split()[1]) for text in six[2:]] == [64, 64]
    told = desk.done("diff", newer, older).splitlines()
    assert told[3] == "packages:"
    assert told[4].startswith("  - idna  3.10 ")
    assert told[5].startswith("  ~ six  1.17.0 ")


def test_another_minor_of_python_is_of_the_base(desk: Desk, tmp_path: Path) -> None:
    python = sandboxes.another_minor(tmp_path / "interpreters")
    other = active(sandboxes.of_another(python, tmp_path / "other"))
    was, now = packed(desk), packed(desk, **other)
    version = desk.json("show", was)["labels"]["python"]
    assert changed(desk, was, now) == {"base": [("python", "changed", version, python.version)]}
    assert f"~ python  {version} → {python.version}" in desk.done("diff", was, now)


def altered(desk: Desk, digest: str, **labels: str) -> str:
    """The image with other labels, as somebody may have made it from this one."""
    layout = Layout(desk.home / ".local/share/sendoff/registry")
    manifest = json.loads(layout.read(Digest(digest)))
    config = json.loads(layout.read(Digest(manifest["config"]["digest"])))
    config["config"]["Labels"] |= {f"io.sendoff.{name}": text for name, text in labels.items()}
    return _written(layout, manifest, config)


def grafted(desk: Desk, digest: str, other: str) -> str:
    """The image with the layers of another one, and all that it says of itself as before."""
    layout = Layout(desk.home / ".local/share/sendoff/registry")
    manifest, others = (json.loads(layout.read(Digest(each))) for each in (digest, other))
    config, theirs = (
        json.loads(layout.read(Digest(each["config"]["digest"]))) for each in (manifest, others)
    )
    config["rootfs"] = theirs["rootfs"]
    return _written(layout, {**manifest, "layers": others["layers"]}, config)


def _written(layout: Layout, manifest: Any, config: Any) -> str:
    data = json.dumps(config).encode()
    described = {**manifest["config"], "digest": layout.write(data), "size": len(data)}
    return str(layout.write(json.dumps({**manifest, "config": described}).encode()))


def rebuilt(desk: Desk, digest: str, *flags: str, **env: str) -> Any:
    """What packing again an image that is not what it was has to say."""
    done = desk("reproduce", digest, "--level", "L1", "--json", *flags, **env)
    assert done.returncode == 3, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert (report["holds"], report["run"]) == (False, "")
    assert report["failure"]["code"] == "ENV_DRIFT"
    return report["difference"]


def test_other_files_than_the_image_says_are_the_first_difference(desk: Desk) -> None:
    digest = packed(desk)
    desk.write("main.py", "print(2)\n")
    other = packed(desk)
    found = rebuilt(desk, grafted(desk, digest, other))
    was, now = (desk.json("show", each)["labels"]["snapshot"] for each in (digest, other))
    assert (found["what"], found["was"], found["now"]) == ("tree", was, now)


def test_another_lock_than_the_environments_is_the_first_difference(
    desk: Desk, tmp_path: Path
) -> None:
    digest = packed(desk)
    other = packed(desk, **with_packages(tmp_path / "other", "six==1.17.0"))
    was, now = (desk.json("show", each)["labels"]["lock"] for each in (other, digest))
    found = rebuilt(desk, altered(desk, digest, lock=was))
    assert (found["what"], found["was"], found["now"]) == ("lock", was, now)


def test_another_base_than_the_environments_is_the_first_difference(desk: Desk) -> None:
    digest, base = packed(desk), str(Digest.of(b"another base"))
    # Where images with a base run; nothing is run.
    found = rebuilt(desk, altered(desk, digest, base=base), SENDOFF_TARGET="kubernetes")
    assert (found["what"], found["was"], found["now"]) == ("base", base, "empty")


def test_a_lock_that_is_gone_is_another_matter(desk: Desk) -> None:
    digest = packed(desk)
    (desk.home / ".local/share/sendoff/registry/index.json").write_text(
        '{"schemaVersion": 2, "manifests": []}'
    )
    assert desk.json("reproduce", digest, "--level", "L1")["code"] == "LOCK_MISSING"
