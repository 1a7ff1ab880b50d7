"""The lock as text: canonical, readable by others, and the same lock again when read."""

from __future__ import annotations

import os
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Pylock

from packer.building.source import Source
from packer.environment import pylock
from packer.environment.lock import FilesPin, Lock, PinnedFile, Recipe, WheelPin

LOCK = Lock(
    python="3.11.7",
    platform="linux/amd64",
    wheels=(
        WheelPin(
            name="crcmod",
            version="1.7",
            filename="crcmod-1.7-cp311-cp311-linux_x86_64.whl",
            sha256="7" * 64,
            size=12,
            built=Recipe(
                source=Source(
                    name="crcmod",
                    version="1.7",
                    url="https://index.example/crcmod-1.7.tar.gz",
                    sha256="8" * 64,
                ),
                packages=("libc6-dev",),
                requirements=(
                    WheelPin(
                        name="setuptools",
                        version="80.0.0",
                        filename="setuptools-80.0.0-py3-none-any.whl",
                        sha256="9" * 64,
                        size=5,
                        url="https://index.example/setuptools-80.0.0-py3-none-any.whl",
                    ),
                ),
            ),
        ),
        WheelPin(
            name="here",
            version="1.0",
            filename="here-1.0-py3-none-any.whl",
            sha256="1" * 64,
            size=1234,
        ),
        WheelPin(
            name="numpy",
            version="2.0.0",
            filename="numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            sha256="2" * 64,
            size=19292279,
            url="https://index.example/numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        ),
    ),
    files=(
        FilesPin(
            name="mine",
            version="0.1",
            files=(
                PinnedFile(path="bin/mine", size=3, sha256="3" * 64, executable=True),
                PinnedFile(path="lib/python3.11/site-packages/mine.py", size=4, sha256="4" * 64),
            ),
            origin="git+https://code.example/mine@abc",
        ),
    ),
    overlay=(
        PinnedFile(path="lib/python3.11/site-packages/odd\udcff\n.py", size=0, sha256="5" * 64),
    ),
    removed=("lib/python3.11/site-packages/numpy/gone.py",),
)

names = st.text(min_size=1).filter(lambda text: "\0" not in text)
contents = st.builds(
    PinnedFile,
    path=names | st.binary(min_size=1).map(os.fsdecode),
    size=st.integers(0, 2**40),
    sha256=st.just("6" * 64),
    executable=st.booleans(),
)


def test_the_text_is_as_it_was(golden) -> None:
    golden("pylock.toml", pylock.write(LOCK))


def test_it_reads_back() -> None:
    assert pylock.read(pylock.write(LOCK)) == LOCK
    empty = Lock(python="3.12.1", platform="linux/arm64", wheels=())
    assert pylock.read(pylock.write(empty)) == empty


def test_others_can_read_it() -> None:
    document = Pylock.from_dict(tomllib.loads(pylock.write(LOCK)))
    assert [package.name for package in document.packages] == ["crcmod", "here", "numpy"]


@given(
    overlay=st.lists(contents).map(tuple),
    removed=st.lists(names).map(tuple),
    origin=st.text(st.characters(blacklist_categories=["Cs"])),
)
def test_any_file_name_reads_back(
    overlay: tuple[PinnedFile, ...], removed: tuple[str, ...], origin: str
) -> None:
    pin = FilesPin(name="a", version="1", files=overlay, origin=origin)
    lock = Lock(
        python="3.11.7",
        platform="linux/amd64",
        wheels=(),
        files=(pin,),
        overlay=overlay,
        removed=removed,
    )
    assert pylock.read(pylock.write(lock)) == lock


@pytest.mark.parametrize("text", ["", "lock-version = '1.0'", "nonsense ["])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        pylock.read(text)
