"""What `ship`, `ship_many` and `sweep` refuse, and what they understand."""

from __future__ import annotations

import traceback

import pytest

import sendoff
from sendoff.errors import Misuse
from sendoff.shipping import understood


@pytest.mark.parametrize("command", ["python 'x", ["python", 3]])
def test_a_command_that_can_not_be_read_is_a_misuse(command) -> None:
    with pytest.raises(Misuse) as caught:
        sendoff.ship(command)
    assert "can't read the command" in str(caught.value)


def test_a_text_is_not_a_list_of_letters() -> None:
    with pytest.raises(Misuse) as caught:
        sendoff.ship_many("ls")
    assert caught.value.fix() == "ship_many(['ls'])"
    with pytest.raises(Misuse) as caught:
        sendoff.sweep("python x.py {lr}", {"lr": "12"})
    assert caught.value.fix() == "{'lr': ['12']}"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [({}, "nothing varies"), ({"lr": []}, "the parameter lr has no values")],
)
def test_a_sweep_has_something_to_vary(parameters, said) -> None:
    with pytest.raises(Misuse, match=said):
        sendoff.sweep("python x.py {lr}" if parameters else "python x.py", parameters)


def test_classes_may_be_a_list() -> None:
    assert understood({"gpu": ["h100", "a40"], "cpus": 2}) == {"gpu": "h100,a40", "cpus": 2}
    assert understood({"gpu": "h100:2"}) == {"gpu": "h100:2"}


def test_a_traceback_shows_what_to_do() -> None:
    with pytest.raises(Misuse) as caught:
        sendoff.ship("true", timout="1m")
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.endswith("there is no 'timout' to ask for\ndo: did you mean 'timeout'?\n")
    caught.value.add_note("mine")
    assert caught.value.__notes__ == ["do: did you mean 'timeout'?", "mine"]
