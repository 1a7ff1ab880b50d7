"""What is said of a run before it is sent off."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.grid import SetUp
from sendoff.preparation import Order, ordered
from sendoff.sending import _warn
from sendoff.session import Session
from sendoff.terminal.console import Console

CLUSTER = {"target": "kubernetes", "store": "http://127.0.0.1:1/bucket", "max-parallel": 4}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            {**CLUSTER, "timeout": "1h"},
            "may take 250 h 00 m, its credentials for the store last 168 h",
        ),
        ({**CLUSTER, "timeout": "10m"}, ""),
        (CLUSTER, ""),
        ({"timeout": "1h", "max-parallel": 4}, ""),
    ],
)
def test_a_run_that_outlives_its_credentials_says_so(
    tmp_path: Path, capsys, flags: dict[str, object], said: str
) -> None:
    session = Session.open(tmp_path, flags)
    order = Order(setups=(SetUp(parameters={}, command=("true",)),) * 1000)
    _warn(ordered(session, order).request, session, Console())
    heard = capsys.readouterr().err
    assert bool(heard) is bool(said)
    assert said in " ".join(heard.split())
