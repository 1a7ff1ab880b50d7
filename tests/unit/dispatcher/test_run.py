from __future__ import annotations

import re

import pytest

from dispatcher.run import new_id


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("train", "train"),
        ("Train_V2.py", "train-v2-py"),
        ("--x--", "x"),
        ("", "run"),
        ("é", "run"),
        ("3d", "r3d"),
        ("a" * 60, "a" * 40),
    ],
)
def test_an_id_is_a_dns_label_that_begins_with_the_name(name: str, stem: str) -> None:
    made = new_id(name)
    assert re.fullmatch(rf"{stem}-[a-hj-km-np-z2-9]{{6}}", made)
    assert len(made) <= 63


def test_ids_differ() -> None:
    assert len({new_id("x") for _ in range(1000)}) == 1000
