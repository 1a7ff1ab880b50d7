"""By reference or by value: what decides is whether an import finds the same function there."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import pytest

from packer.errors import SendoffError
from sendoff.functions import spelling
from sendoff.functions.spelling import SentByValue, spell


def test_functions_that_an_import_finds(work) -> None:
    here = Path.cwd()
    assert spell(work.square, here).word == "work:square"
    assert spell(math.sqrt, here).word == "math:sqrt"
    assert spell(json.dumps, here).word == "json:dumps"
    assert spell(work.Known, here).word == "work:Known"


def test_a_name_that_now_is_another_function_is_not_relied_on(work) -> None:
    old = work.square
    work.square = lambda n: n
    found = spell(old, Path.cwd())
    assert found.word == ""
    assert pickle.loads(found.pickle)(3) == 9


def test_a_decorated_function_is_found_through_what_wraps_it(work) -> None:
    plain = work.square
    work.square = functools.wraps(plain)(lambda n: n)
    assert spell(plain, Path.cwd()).word == "work:square"


@pytest.mark.usefixtures("work")
def test_modules_below_a_folder_that_is_on_the_path(monkeypatch) -> None:
    source = Path("src/deep")
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("def fit(): pass\n")
    monkeypatch.syspath_prepend(str(source.parent.absolute()))
    monkeypatch.delitem(sys.modules, "deep", raising=False)
    import deep  # type: ignore[import-not-found]

    found = spell(deep.fit, Path.cwd())
    assert (found.word, found.path) == ("deep:fit", "src")


def test_a_module_outside_the_project_goes_with_a_warning(work, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.warns(SentByValue, match="neither in the project"):
        found = spell(work.square, elsewhere)
    del sys.modules["work"]
    sys.path.remove(str(Path.cwd()))
    assert pickle.loads(found.pickle)(4) == 16


@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_what_the_user_has_registered_by_value_stays_so(work, tmp_path) -> None:
    cloudpickle.register_pickle_by_value(work)
    try:
        assert spell(work.square, tmp_path / "elsewhere").pickle
        assert work.__name__ in cloudpickle.list_registry_pickle_by_value()
    finally:
        cloudpickle.unregister_pickle_by_value(work)


class _Met:
    """Whether two threads pickle it at once: one waits for the other, not for ever."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self.met = False

    def __reduce__(self):
        with contextlib.suppress(threading.BrokenBarrierError):
            self._barrier.wait(0.2)
            self.met = True
        return _Met, ()


@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_threads_spell_functions_of_one_module_one_after_the_other(work, tmp_path) -> None:
    once = _Met()
    work.square.__defaults__ = (once,)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(spell, [work.square] * 2, [tmp_path / "elsewhere"] * 2))
    assert all(b"_Met" in each.pickle for each in found)
    # Else what one registers would be over while the other pickles.
    assert not once.met
    assert work.__name__ not in cloudpickle.list_registry_pickle_by_value()


def test_what_is_bound_or_nested_goes_by_value(work) -> None:
    assert spell(functools.partial(work.square, 2), Path.cwd()).pickle
    assert spell([].append, Path.cwd()).pickle


@pytest.mark.usefixtures("work")
@pytest.mark.filterwarnings("ignore::sendoff.functions.spelling.SentByValue")
def test_what_can_be_neither_found_nor_pickled_is_refused() -> None:
    frames = sys._getframe()
    with pytest.raises(SendoffError) as caught:
        spell(lambda: frames, Path.cwd())
    assert caught.value.code == "FUNCTION_REFUSED"
    assert "pickle" in caught.value.why()


def test_generators_are_refused_asynchronous_ones_too() -> None:
    async def values():
        yield 1

    with pytest.raises(SendoffError, match="generator"):
        spelling.refuse(values)
