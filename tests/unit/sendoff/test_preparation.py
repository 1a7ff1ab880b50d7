from __future__ import annotations

import pytest

from sendoff.errors import Misuse
from sendoff.grid import SetUp
from sendoff.preparation import Order, _stem, ordered, prepare
from sendoff.session import Session


@pytest.mark.parametrize(
    ("command", "stem"),
    [
        ("python train.py --lr 1", "train"),
        ("python -u src/train.py", "train"),
        ("python3.12 -m package.train x", "train"),
        ("python -c print(1)", "python"),
        ("python", "python"),
        ("./bin/go --fast", "go"),
        ("bash run.sh", "bash"),
    ],
)
def test_a_run_is_called_after_its_script(command: str, stem: str) -> None:
    assert _stem(command.split()) == stem


def test_what_may_be_left_as_results_is_asked_for(tmp_path) -> None:
    order = Order(setups=(SetUp(parameters={}, command=("true",)),))
    asked = ordered(Session.open(tmp_path, {"result-files": 20_000, "result-size": "1Ti"}), order)
    assert (asked.request.result_files, asked.request.result_size) == (20_000, 1 << 40)


def test_an_empty_command_is_refused_before_anything_is_packed(tmp_path) -> None:
    with pytest.raises(Misuse, match="no command given"):
        prepare(Session.open(tmp_path), Order(setups=()))
    nameless = SetUp(parameters={}, command=("", "x"))
    with pytest.raises(Misuse, match="no command given"):
        prepare(Session.open(tmp_path), Order(setups=(nameless,)))
