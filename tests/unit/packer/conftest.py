"""Small wheels, made in the test, and a user who may not read everything."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from packer.environment.lock import WheelPin

Contents = Mapping[str, bytes | str]

_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {purelib}\nTag: py3-none-any\n"


def pin_of(path: Path) -> WheelPin:
    name, version = path.name.split("-")[:2]
    data = path.read_bytes()
    return WheelPin(
        name=name.lower().replace("_", "-"),
        version=version,
        filename=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., tuple[WheelPin, Path]]:
    """A wheel of these files, with modes where given, and its pin."""

    def make(
        contents: Contents,
        *,
        name: str = "Foo_Bar",
        modes: Mapping[str, int] | None = None,
        method: int = zipfile.ZIP_DEFLATED,
        purelib: bool = True,
        info: Contents | None = None,
    ) -> tuple[WheelPin, Path]:
        path = tmp_path / f"{name}-1.0-py3-none-any.whl"
        files = {
            **contents,
            f"{name}-1.0.dist-info/WHEEL": _WHEEL.format(purelib=str(purelib).lower()),
            f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\n",
            f"{name}-1.0.dist-info/RECORD": "",
            **{f"{name}-1.0.dist-info/{key}": value for key, value in (info or {}).items()},
        }
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, data in files.items():
                entry = zipfile.ZipInfo(member)
                entry.compress_type = method
                entry.external_attr = (modes or {}).get(member, 0o100644) << 16
                archive.writestr(entry, data)
        return pin_of(path), path

    return make


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[None]:
    """Be a user who may not read everything."""
    if os.geteuid() != 0:
        yield
        return
    tmp_path.chmod(0o777)
    # How deep it lies depends on how many processes test.
    for folder in tmp_path.parents[: len(tmp_path.parts) - 3]:
        folder.chmod(0o711)
    os.seteuid(65534)
    yield
    os.seteuid(0)
