"""Which candidate is taken, and what proves that it is what was installed."""

from __future__ import annotations

import pytest

from packer.environment import target
from packer.environment.distribution import Distribution, Recorded
from packer.environment.environment import Installed
from packer.environment.interpreter import Interpreter
from packer.wheels import wheel_match
from packer.wheels.candidates import Candidate

SITE = "lib/python3.11/site-packages"
INTERPRETER = Interpreter(
    executable="/venv/bin/python",
    version="3.11.7",
    prefix="/venv",
    base_executable="/usr/bin/python3.11",
    purelib="/venv/" + SITE,
    platlib="/venv/" + SITE,
    scripts="/venv/bin",
    cache_tag="cpython-311",
    magic="a70d0d0a",
    platform="linux-x86_64",
)
TARGET = target.of(INTERPRETER)


def candidate(filename: str) -> Candidate:
    return Candidate(
        name="a",
        version="1",
        filename=filename,
        sha256="0" * 64,
        size=1,
        url="https://x/" + filename,
    )


def installed(recorded: dict[str, str], tags: tuple[str, ...] = ()) -> Installed:
    found = Distribution(
        name="a", version="1", site="/venv/" + SITE, metadata="a-1.dist-info", tags=tags
    )
    return Installed(distribution=found, files=(), recorded=recorded)


def test_the_installed_tags_come_first_and_foreign_wheels_not_at_all() -> None:
    offered = [
        candidate("a-1-py3-none-any.whl"),
        candidate("a-1-cp311-cp311-macosx_11_0_arm64.whl"),
        candidate("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        candidate("a-1-cp311-cp311-manylinux_2_28_x86_64.whl"),
        candidate("a-1-cp310-cp310-manylinux_2_28_x86_64.whl"),
        candidate("a-1-cp39-abi3-manylinux1_x86_64.whl"),
    ]
    mine = ("cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64")
    found = wheel_match.ordered(offered, installed({}, mine), TARGET)
    assert [each.filename for each in found] == [
        "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "a-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "a-1-cp39-abi3-manylinux1_x86_64.whl",
        "a-1-py3-none-any.whl",
    ]


def test_another_platform_takes_its_own() -> None:
    arm = target.of(INTERPRETER, "linux/arm64")
    assert arm.is_foreign
    assert not TARGET.is_foreign
    offered = [
        candidate(f"a-1-cp311-cp311-manylinux_2_17_{name}.whl") for name in ("x86_64", "aarch64")
    ]
    (found,) = wheel_match.ordered(offered, installed({}), arm)
    assert found.filename == "a-1-cp311-cp311-manylinux_2_17_aarch64.whl"


def test_a_base_s_glibc_bounds_what_runs() -> None:
    old = target.of(INTERPRETER, glibc="2.31")
    new, fitting = (
        candidate(f"a-1-cp311-abi3-manylinux_2_{glibc}_x86_64.whl") for glibc in (34, 28)
    )
    assert wheel_match.ordered([new, fitting], installed({}), old) == [fitting]
    mine = installed({}, ("cp311-abi3-manylinux_2_34_x86_64",))
    assert wheel_match.is_too_new(mine, old)
    assert not wheel_match.is_too_new(mine, TARGET)
    assert not wheel_match.is_too_new(mine, target.of(INTERPRETER, glibc="2.36"))
    arm = candidate("a-1-cp311-abi3-manylinux_2_32_aarch64.whl")
    assert wheel_match.wanting([new, fitting, arm], old) == 34
    assert wheel_match.wanting([new], TARGET) == 0
    assert wheel_match.wanting([fitting], old) == 0


LISTED = (
    Recorded(path="a/__init__.py", sha256="11"),
    Recorded(path="a-1.data/purelib/b.py", sha256="22"),
    Recorded(path="a-1.data/data/share/a.txt", sha256="33"),
    Recorded(path="a-1.data/headers/a.h", sha256="44"),
    Recorded(path="a-1.dist-info/METADATA", sha256="55"),
    Recorded(path="a-1.dist-info/RECORD"),
)
RECORDED = {
    f"{SITE}/a/__init__.py": "11",
    f"{SITE}/b.py": "22",
    "share/a.txt": "33",
    "include/site/python3.11/a/a.h": "44",
    f"{SITE}/a-1.dist-info/METADATA": "55",
    f"{SITE}/a-1.dist-info/RECORD": "",
    f"{SITE}/a-1.dist-info/INSTALLER": "66",
    f"{SITE}/a-1.dist-info/direct_url.json": "77",
    "bin/a": "88",
}


def test_the_same_record_in_its_place_is_the_wheel() -> None:
    assert wheel_match.agrees(installed(RECORDED), LISTED, SITE)


@pytest.mark.parametrize(
    "other",
    [
        {**RECORDED, f"{SITE}/a/__init__.py": "00"},
        {**RECORDED, f"{SITE}/a/more.py": "99"},
        {path: sha256 for path, sha256 in RECORDED.items() if not path.endswith("b.py")},
    ],
)
def test_anything_else_is_not(other: dict[str, str]) -> None:
    assert not wheel_match.agrees(installed(other), LISTED, SITE)


def test_the_installer_does_not_change_the_identity() -> None:
    by_uv = {**RECORDED, f"{SITE}/a-1.dist-info/uv_cache.json": "aa", "bin/a": "bb"}
    assert wheel_match.identity(installed(RECORDED)) == wheel_match.identity(installed(by_uv))
    assert wheel_match.identity(installed(RECORDED)) != wheel_match.identity(
        installed({**RECORDED, "share/a.txt": "00"})
    )


def test_the_target_is_the_sandboxs_own_by_default() -> None:
    assert TARGET.packages == SITE
    assert TARGET.platform == "linux/amd64"


def test_modules_have_what_is_installed_and_what_the_wheel_has() -> None:
    mine = installed(
        {
            f"{SITE}/a.py": "1",
            f"{SITE}/same.py": "1",
            f"{SITE}/mine.py": "1",
            f"{SITE}/unhashed.py": "",
            f"{SITE}/a.so": "1",
            "bin/a.py": "1",
        }
    )
    wheel = {"a.py": "2", "same.py": "1", "its.py": "1", "unhashed.py": "1", "a.so": "2"}
    listed = [Recorded(path=path, sha256=sha256) for path, sha256 in wheel.items()]
    listed.append(Recorded(path="a-1.data/scripts/a.py", sha256="2"))
    assert wheel_match.modules(mine, listed, TARGET.packages) == {
        f"{SITE}/a.py": ("1", "2"),
        f"{SITE}/same.py": ("1", "1"),
        f"{SITE}/mine.py": ("1", ""),
    }
