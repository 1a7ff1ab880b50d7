"""Values as files: what is written, and that it comes back exactly."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.runner.site.sendoff import values

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def written(value: Any, folder: Path) -> tuple[list[str], Any]:
    """The names of the files, and what is read from them."""
    paths = values.write(value, str(folder / "v"))
    return [Path(path).name for path in paths], values.read(paths[0])


def exact(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(exact, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(exact(one[key], other[key]) for key in one)
    return bool(one == other)


@given(value=PLAIN)
def test_what_json_and_tuples_say_comes_back_exactly(value: Any, tmp_path_factory) -> None:
    names, found = written(value, tmp_path_factory.mktemp("v"))
    assert exact(found, value)
    assert names[0] == "v.json"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"loss": 0.5}, ["v.json"]),
        ((1, [2, (3,)]), ["v.json", "v.types.json"]),
        ({"a/b~": np.float32(0.1), "n": np.int64(3)}, ["v.json", "v.types.json"]),
        (np.float64(0.5), ["v.json", "v.types.json"]),
        ({1: 2}, ["v.pkl"]),
        ({1, 2}, ["v.pkl"]),
        (Counter("aab"), ["v.pkl"]),
        pytest.param(10**5000, ["v.pkl"], id="long"),
        (b"bytes", ["v.pkl"]),
    ],
)
def test_the_plainest_form_is_taken(value: Any, names: list[str], tmp_path: Path) -> None:
    found_names, found = written(value, tmp_path)
    assert found_names == names
    assert exact(found, value)


def test_arrays_are_an_npz_that_numpy_reads(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3))
    names, found = written(array, tmp_path)
    assert names == ["v.npz"]
    assert found.dtype == array.dtype
    assert (found == array).all()
    assert (np.load(tmp_path / "v.npz")["array"] == array).all()

    mixed = {"w": array, "deep": [(array, "text")], "loss": 0.5}
    first = values.write(mixed, str(tmp_path / "one"))
    found = values.read(first[0])
    assert (found["w"] == array).all()
    assert type(found["deep"][0]) is tuple
    assert found["deep"][0][1] == "text"
    assert sorted(np.load(first[0]).files) == ["deep/0/0", "value.json", "w"]
    again = values.write(mixed, str(tmp_path / "two"))
    assert Path(again[0]).read_bytes() == Path(first[0]).read_bytes()


def test_objects_in_arrays_are_pickled(tmp_path: Path) -> None:
    names, found = written(np.array([{}, None]), tmp_path)
    assert names == ["v.pkl"]
    assert found.tolist() == [{}, None]


def test_what_is_defined_on_the_way_is_pickled_too(tmp_path: Path) -> None:
    names, found = written(lambda n: n + 1, tmp_path)
    assert (names, found(1)) == (["v.pkl"], 2)


def test_what_can_not_be_pickled_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="pickle"):
        values.write(threading.Lock(), str(tmp_path / "v"))
    assert not list(tmp_path.iterdir())


def test_a_value_that_holds_itself_is_pickled(tmp_path: Path) -> None:
    value: list[Any] = [1]
    value.append(value)
    _, found = written(value, tmp_path)
    assert found[1] is found


def test_types_are_told_beside_the_value(tmp_path: Path) -> None:
    values.write({"shape": (1, 2), "x/y": np.float32(1)}, str(tmp_path / "v"))
    types = json.loads((tmp_path / "v.types.json").read_text())
    assert types == {"/shape": "tuple", "/x~1y": "float32"}
