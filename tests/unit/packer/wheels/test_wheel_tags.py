"""Wheels by the tags of their names."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from packer.wheels import wheel_tags


class Named(NamedTuple):
    filename: str


TAGS = ("cp311-cp311-manylinux_2_28_x86_64", "cp311-abi3-manylinux_2_17_x86_64", "py3-none-any")
PURE = Named("a-1-py2.py3-none-any.whl")
STABLE = Named("a-1-cp38-abi3-manylinux_2_17_x86_64.whl")
OWN = Named("a-1-2-CP311-cp311-manylinux_2_28_x86_64.manylinux_2_17_x86_64.whl")


def test_compressed_tags_are_taken_one_by_one() -> None:
    assert wheel_tags.of("a-1-cp38.cp39-abi3-linux_x86_64.any.whl") == {
        "cp38-abi3-linux_x86_64",
        "cp38-abi3-any",
        "cp39-abi3-linux_x86_64",
        "cp39-abi3-any",
    }


def test_the_best_tag_of_each_decides_and_what_has_none_is_left_out() -> None:
    assert wheel_tags.ranked([PURE, STABLE, OWN], TAGS) == [OWN, PURE]


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a-1-cp311-abi3-manylinux_2_34_x86_64.whl", 34),
        ("a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 17),
        ("a-1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl", 24),
        ("a-1-cp39-abi3-manylinux1_x86_64.whl", 5),
        ("a-1-cp311-cp311-musllinux_1_2_x86_64.whl", 0),
        ("a-1-py3-none-any.whl", 0),
    ],
)
def test_the_oldest_glibc_that_will_do(filename: str, expected: int) -> None:
    assert wheel_tags.glibc(wheel_tags.of(filename)) == expected


def test_equals_stay_in_their_order() -> None:
    other = Named("a-1-1-py3-none-any.whl")
    assert wheel_tags.ranked([other, PURE], TAGS) == [other, PURE]
