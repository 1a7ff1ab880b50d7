from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatcher.errors import GpuExpressionInvalid
from dispatcher.gpu_expression import Wanted, parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("cpu", []),
        ("h100", [("h100", 1)]),
        ("H100:2", [("h100", 2)]),
        ("h100, a100-80gb", [("h100", 1), ("a100-80gb", 1)]),
        ("h100:2,a100-80gb:4", [("h100", 2), ("a100-80gb", 4)]),
        ("a100:mig-1g.5gb", [("a100-mig-1g.5gb", 1)]),
        ("a100-mig-1g.5gb:3", [("a100-mig-1g.5gb", 3)]),
        ("a100:mig-1g.5gb:3", [("a100-mig-1g.5gb", 3)]),
        ("RTX 4090", [("rtx-4090", 1)]),
    ],
)
def test_what_is_asked_for(text, wanted):
    assert parse(text) == tuple(Wanted(name=name, count=count) for name, count in wanted)


@pytest.mark.parametrize(
    "text",
    [
        "h100:0",
        "h100:two",
        "h100,,a100",
        "cpu,h100",
        "h100,h100:2",
        ":2",
        "h100:2:3",
        "h;x",
        "a:mig-1g.5gb,a-mig-1g.5gb",
    ],
)
def test_what_can_not_be_read(text):
    with pytest.raises(GpuExpressionInvalid) as caught:
        parse(text)
    assert repr(text) in str(caught.value)


@given(some.text())
def test_anything_else_is_either(text):
    with contextlib.suppress(GpuExpressionInvalid):
        assert all(each.count > 0 for each in parse(text))
