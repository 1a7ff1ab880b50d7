from __future__ import annotations

import pytest

from sendoff.errors import Misuse
from sendoff.preparation import Order, _stem, prepare
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


def test_an_empty_command_is_refused_before_anything_is_packed(tmp_path) -> None:
    with pytest.raises(Misuse, match="no command given"):
        prepare(Session.open(tmp_path), Order(setups=()))
