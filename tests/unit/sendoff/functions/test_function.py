"""A function that can be sent off, in a pickle: the plain function that it stands for."""

from __future__ import annotations

import functools
import pickle
import pickletools
import sys
from pathlib import Path

import pytest

import sendoff
from dispatcher.runner.site.sendoff import values
from sendoff.functions.spelling import spell

WAYS = {
    "of a function": lambda work: sendoff.remote(work.square),
    "with options": lambda work: work.square.options(timeout="1m"),
    "of a partial": lambda work: sendoff.remote(functools.partial(work.square)),
    "as it is": lambda work: work.square,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("decorated", [False, True])
def test_one_that_a_function_uses_goes_with_it(work, way: str, *, decorated: bool) -> None:
    if decorated or way == "with options":
        work.square = sendoff.remote(work.square)
    step = WAYS[way](work)
    assert pickle.loads(values.pickled(lambda n: step(n) + 1, whole=True))(3) == 10


@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_one_of_a_module_that_goes_by_value_goes_with_it(work, tmp_path, monkeypatch) -> None:
    work.square = sendoff.remote(work.square)
    work.late.__defaults__ = (work.square,)
    data = spell(work.late, tmp_path / "elsewhere").pickle
    # Where it arrives there is no such module.
    monkeypatch.delitem(sys.modules, "work")
    sys.path.remove(str(Path.cwd()))
    (square,) = pickle.loads(data).__defaults__
    assert square(3) == 9


def test_one_that_its_name_leads_to_is_its_name(work) -> None:
    work.square = sendoff.remote(work.square)
    read = list(pickletools.genops(pickle.dumps(work.square)))
    assert [text for _, text, _ in read if isinstance(text, str)] == ["work", "square"]
    assert pickle.loads(pickle.dumps(work.square)) is work.square
    assert pickle.loads(pickle.dumps(work.square.options(timeout="1m"))) is work.square
