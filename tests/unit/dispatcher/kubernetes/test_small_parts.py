"""Quantities, spans of indexes, tables of pods."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatcher.kubernetes import crowd, quantity, spans


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("2", 2),
        ("16Gi", 2**34),
        ("1e3", 1000),
        ("5k", 5000),
        ("0.1", 0.1),
        ("1n", 1e-9),
    ],
)
def test_a_quantity(text, number):
    assert quantity.parse(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "Gi", "1KI"])
def test_no_quantity(text):
    with pytest.raises(ValueError, match="not a quantity"):
        quantity.parse(text)


@given(some.integers(0, 2**50))
def test_a_size_comes_back(number):
    assert quantity.parse(quantity.size(number)) == number


@given(some.integers(0, 10**6))
def test_cores_come_back(thousandths):
    assert quantity.parse(quantity.cores(thousandths / 1000)) == pytest.approx(thousandths / 1000)


@pytest.mark.parametrize(
    ("text", "indexes"), [(None, set()), ("", set()), ("3", {3}), ("1,3-5,7", {1, 3, 4, 5, 7})]
)
def test_spans(text, indexes):
    assert spans.parse(text) == indexes


def table(*rows: list) -> bytes:
    heads = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"]
    columns = [{"name": head, "type": "string"} for head in heads]
    return json.dumps(
        {"columnDefinitions": columns, "rows": [{"cells": row, "object": None} for row in rows]}
    ).encode()


def test_pods_of_a_table():
    seen = crowd.read(
        table(
            ["a-b-0-xyz12", "1/1", "Running", "0", "1s", "10.0.0.1", "node-1"],
            ["a-b-17-xyz12", "0/1", "Pending", "0", "1s", "<none>", "<none>"],
            ["a-b-18-xyz12", "0/1", "ContainerCreating", "0", "1s", "<none>", "node-1"],
            ["else", "0/1", "Pending", "0", "1s", "<none>", "<none>"],
        ),
        "a-b",
    )
    assert {index: (each.state, each.placed) for index, each in seen.items()} == {
        0: ("running", True),
        17: ("queued", False),
        18: ("queued", True),
    }


def test_another_table_is_refused():
    with pytest.raises(ValueError, match="not in list"):
        crowd.read(b'{"columnDefinitions": [], "rows": []}', "a")
