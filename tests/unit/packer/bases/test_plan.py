from __future__ import annotations

import pytest

from packer.bases import catalogue as catalogues
from packer.bases import plan as plans
from packer.bases.errors import BaseWithoutPython
from packer.bases.plan import Wish
from packer.record import encode


def ids(text: str, wish: Wish) -> list[str]:
    return [each.id for each in plans.plan(catalogues.parse(text), wish)]


def test_all_of_them_each_after_what_is_below_it(text: str) -> None:
    assert ids(text, Wish()) == ["cpu-3-11", "cpu-3-12", "cuda-3-11"]
    assert ids(text, Wish(names=("cuda",))) == ["cpu-3-11", "cuda-3-11"]


def test_a_python_of_a_name_or_of_all(text: str) -> None:
    assert ids(text, Wish(names=("cpu:3.12",))) == ["cpu-3-12"]
    assert ids(text, Wish(pythons=("3.12",))) == ["cpu-3-12"]
    with pytest.raises(BaseWithoutPython, match=r"no base cuda with Python 3\.12"):
        ids(text, Wish(names=("cuda",), pythons=("3.12",)))
    with pytest.raises(BaseWithoutPython):
        ids(text, Wish(pythons=("3.9",)))


def test_what_is_asked_for_is_told_from_what_is_below_it(text: str) -> None:
    catalogue, wish = catalogues.parse(text), Wish(names=("cuda",))
    targets = plans.plan(catalogue, wish)
    chosen = plans.requested(targets, plans.wanted(catalogue, wish))
    assert [each.title for each in chosen] == ["cuda:3.11"]


def test_arguments(text: str, golden) -> None:
    targets = plans.plan(catalogues.parse(text), Wish())
    golden("bases/targets.json", b"\n".join(map(encode, targets)) + b"\n")


def test_another_root_has_its_own_sources(text: str) -> None:
    root = "registry.example/own@sha256:" + "3" * 64
    below, above = plans.plan(catalogues.parse(text), Wish(names=("cuda",), root=root))
    assert below.arguments["ROOT"] == root == above.root
    assert above.arguments["ROOT"] == plans.BELOW
    assert "SNAPSHOT" not in below.arguments
    assert below.arguments["SOURCE_DATE_EPOCH"] == "1735787045"
