"""Which wheel stands for what is installed, where the base's C library has a say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.digest import Digest
from packer.environment import locking
from packer.environment.environment import Environment
from packer.environment.lock import WheelPin
from packer.environment.locking import Draft
from packer.environment.resolver import Locked
from packer.environment.sandbox import Sandbox
from packer.images.base import GLIBC_LABEL, Base
from packer.progress import SILENT
from packer.wheels import index_sources
from packer.wheels.errors import NoWheelForTarget, WheelUnavailable
from packer.wheels.wheelhouse import Wheelhouse
from tests import indexes as playing
from tests.described import description
from tests.indexes import Indexes, wheel

NEW, USUAL = "cp311-abi3-manylinux_2_34_x86_64", "cp311-abi3-manylinux_2_28_x86_64"


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Indexes]:
    with Indexes() as served:
        for name, value in playing.settings(served).items():
            monkeypatch.setenv(name, value)
        yield served


def sandbox(platform: str, tag: str) -> Environment:
    native = "cryptography/hazmat/bindings/_rust.abi3.so"
    table = {"name": "cryptography", "version": "50.0.2", "tags": [tag], "native": native}
    return description.read({"platform": platform, "python": "3.11.9", "distribution": [table]})


MAC = sandbox("macosx-14.0-arm64", "cp311-abi3-macosx_11_0_arm64")
LINUX = sandbox("linux-x86_64", NEW)


def locked(found: Environment, folder: Path, glibc: str) -> Locked:
    """Its lock for linux/amd64, on a base with this glibc."""
    return drafted(found, folder, glibc, "native").locked


def drafted(found: Environment, folder: Path, glibc: str, builder: str) -> Draft:
    """Its lock before anything is built."""
    base = Base(
        digest=Digest.of(glibc.encode()),
        repository="registry.example/base",
        platform="linux/amd64",
        layers=(),
        python="/usr/bin/python3.11",
        python_version="3.11.2",
        labels={GLIBC_LABEL: glibc} if glibc else {},
    )
    here = replace(found.interpreter, executable=sys.executable)
    request = Sandbox(
        interpreter=here,
        project=folder,
        cache=folder,
        platform="linux/amd64",
        base=base,
        builder=builder,
    )
    return locking.draft(replace(found, interpreter=here), request, SILENT)


@pytest.mark.parametrize(
    ("glibc", "tag"), [("2.31", USUAL), ("2.28", USUAL), ("2.36", NEW), ("", USUAL)]
)
def test_a_mac_gets_the_wheel_that_runs_on_the_base(
    indexes: Indexes, tmp_path: Path, glibc: str, tag: str
) -> None:
    for each in (NEW, USUAL):
        indexes.add("simple", *wheel("cryptography", "50.0.2", each))
    (pin,) = locked(MAC, tmp_path, glibc).lock.wheels
    assert pin.filename == f"cryptography-50.0.2-{tag}.whl"


def test_a_linux_with_a_newer_glibc_than_the_base_gets_another_wheel(
    indexes: Indexes, tmp_path: Path
) -> None:
    for each in (NEW, USUAL):
        indexes.add("simple", *wheel("cryptography", "50.0.2", each))
    found = locked(LINUX, tmp_path, "2.31")
    assert [pin.filename for pin in found.lock.wheels] == [f"cryptography-50.0.2-{USUAL}.whl"]
    (arrival,) = found.report.arrivals
    assert arrival.why == "another wheel than here: the base has glibc 2.31"


@pytest.mark.parametrize("found", [MAC, LINUX])
def test_where_no_wheel_runs_a_newer_base_is_named(
    indexes: Indexes, tmp_path: Path, found: Environment
) -> None:
    indexes.add("simple", *wheel("cryptography", "50.0.2", NEW))
    with pytest.raises(NoWheelForTarget) as refused:
        locked(found, tmp_path, "2.31")
    assert "no wheel for linux/amd64 with glibc 2.31" in refused.value.evidence()
    assert refused.value.fix().endswith("or a base with glibc 2.34: --base …")


def test_bytes_are_had_with_the_login_that_uv_has(
    indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in playing.settings(indexes):
        monkeypatch.delenv(name)
    filename, data = wheel("cryptography", "50.0.2", USUAL)
    indexes.add("private", filename, data)
    indexes.logins["private"] = "me:word"
    monkeypatch.setenv("UV_INDEX_MINE_USERNAME", "me")
    monkeypatch.setenv("UV_INDEX_MINE_PASSWORD", "word")
    (tmp_path / "uv.toml").write_text(
        f'[[index]]\nname = "mine"\nurl = "{indexes.url}/private"\ndefault = true\n'
    )
    (pin,) = locked(MAC, tmp_path, "2.31").lock.wheels
    sources = index_sources.find("/sandbox", tmp_path)
    house = Wheelhouse(root=tmp_path / "wheels", sources=sources)
    ((_, path),) = house.fetch([pin], SILENT)
    assert path.read_bytes() == data
    assert "word" not in pin.url


def test_without_a_login_the_remedy_is_one(indexes: Indexes, tmp_path: Path) -> None:
    indexes.logins["private"] = "me:word"
    pin = WheelPin(
        name="a",
        version="1",
        filename="a-1-py3-none-any.whl",
        sha256="0" * 64,
        size=1,
        url=indexes.url + "/private/a-1-py3-none-any.whl",
    )
    with pytest.raises(WheelUnavailable) as refused:
        list(Wheelhouse(root=tmp_path).fetch([pin], SILENT))
    assert "UV_INDEX_<NAME>_USERNAME" in refused.value.fix()


@pytest.mark.parametrize("gone", [False, True])
def test_only_what_an_index_did_not_tell_is_asked_for_again(
    indexes: Indexes, tmp_path: Path, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is told of in a warning of its own.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    filename, data = wheel("wcwidth", "0.2.13")
    indexes.add("simple", filename, data)
    if gone:
        indexes.lost.add(filename)
    else:
        indexes.failing.add(filename)
    table = {"name": "wcwidth", "version": "0.2.13", "tags": ["py3-none-any"]}
    found = description.read(
        {"platform": "linux-x86_64", "python": "3.11.9", "distribution": [table]}
    )
    report = locked(found, tmp_path, "").report
    assert report.without_index is not gone
    assert bool(report.warnings) is not gone
    if not gone:
        assert "wcwidth could not be read, installed files are packed" in report.warnings[0]


def test_no_public_source_is_taken_for_one_of_uvs_own_index(
    indexes: Indexes, tmp_path: Path
) -> None:
    indexes.add("simple", "cryptography-50.0.2.tar.gz", b"another's")
    indexes.add("private", "cryptography-50.0.2.tar.gz", b"mine")
    (tmp_path / "uv.toml").write_text(f'[[index]]\nurl = "{indexes.url}/private"\n')
    sources = drafted(LINUX, tmp_path, "2.36", "unix:///nowhere").sources
    assert [each.url for each in sources.values()] == [
        f"{indexes.url}/private/cryptography-50.0.2.tar.gz"
    ]
