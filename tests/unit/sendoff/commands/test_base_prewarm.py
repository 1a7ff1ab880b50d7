from __future__ import annotations

import pytest

from sendoff.commands import base_prewarm
from sendoff.errors import Misuse


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        ((), ()),
        (("h100", "cpu"), ("h100", "cpu")),
        (("h100,a100-80gb", "h100"), ("h100", "a100-80gb")),
        (("h100, cpu",), ("h100", "cpu")),
    ],
)
def test_classes_may_be_repeated_or_stand_between_commas(
    given: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    assert base_prewarm._each(given) == classes


@pytest.mark.parametrize("given", ["", ",", "h100,", " "])
def test_an_option_without_a_class_is_not_every_class(given: str) -> None:
    with pytest.raises(Misuse):
        base_prewarm._each([given])
