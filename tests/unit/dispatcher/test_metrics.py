from __future__ import annotations

import io
import math

import pytest

from dispatcher import metrics
from dispatcher.metrics import collect


def files(**contents: str) -> list:
    return [
        (name.replace("__", "."), lambda text=text: io.BytesIO(text.encode()))
        for name, text in contents.items()
    ]


def values(found: dict) -> dict[str, float]:
    return {name: metric.value for name, metric in found.items()}


def test_nested_json_is_flattened_with_the_line_of_each_value() -> None:
    text = '{\n "accuracy": 0.97,\n "layers": {"0": {"mse": 1e-3}},\n "name": "x 5", "ok": true\n}'
    found = collect(files(metrics__json=text), [])
    assert values(found) == {"accuracy": 0.97, "layers.0.mse": 0.001}
    assert found["accuracy"].source == "metrics.json:2"
    assert found["layers.0.mse"].source == "metrics.json:3"


def test_a_repeated_json_key_keeps_the_last_value_and_its_line() -> None:
    found = collect(files(metrics__json='{"a": 1,\n"a": 2}'), [])
    assert (found["a"].value, found["a"].source) == (2, "metrics.json:2")


def test_lists_are_history_and_matrices_are_not_metrics() -> None:
    text = '{"loss": [3, 2, 1], "confusion": [[1, 2], [3, 4]], "log": [{"step": 5, "lr": 0.1}]}'
    found = collect(files(metrics__json=text), [])
    assert [point.value for point in found["loss"].history] == [3, 2, 1]
    assert "confusion" not in found
    assert found["log.lr"].history[0].step == 5


def test_json_lines_keep_history_and_survive_a_torn_line() -> None:
    text = '{"step": 1, "loss": 2.5}\n\nnot json\n{"step": 2, "loss": 1.5}\n{"step": 3, "lo'
    found = collect(files(metrics__jsonl=text), [])
    assert found["loss"].value == 1.5
    assert [(p.step, p.value, p.source) for p in found["loss"].history] == [
        (1, 2.5, "metrics.jsonl:1"),
        (2, 1.5, "metrics.jsonl:4"),
    ]


def test_csv_columns_are_metrics() -> None:
    found = collect(files(log__csv="epoch,loss,note\n1,0.5,a\n2,0.25,\n"), [])
    assert values(found) == {"epoch": 2, "loss": 0.25}
    assert found["loss"].source == "log.csv:3"
    assert found["loss"].history[0].step == 1


def test_csv_of_names_and_values() -> None:
    found = collect(files(results__csv="metric,value\nacc,0.9\nf1,0.8\n"), [])
    assert values(found) == {"acc": 0.9, "f1": 0.8}


def test_a_data_set_is_not_taken_for_metrics() -> None:
    assert not collect(files(iris__csv="a,b\n1,2\n", logistic__json='{"a": 1}'), [])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss: 0.5", {"loss": 0.5}),
        ("Test accuracy: 97.5%", {"Test accuracy": 97.5}),
        ("epoch 3/10 - loss: 0.3 - acc=0.9", {"loss": 0.3, "acc": 0.9}),
        ("step=10 | val/loss=1e-3, lr=3.0E-4", {"step": 10, "val/loss": 1e-3, "lr": 3e-4}),
        ("  0%|  | 1/9 [00:01<00:08, 1.0it/s]\r 99%| | 9/9, loss=0.1]", {"loss": 0.1}),
        ("\x1b[32mloss\x1b[0m: \x1b[1m0.25\x1b[0m", {"loss": 0.25}),
        ("listening on localhost:8080 at 12:30:45", {}),
        ("time: 12:30", {}),
        ("x: 3 apples", {"x": 3}),
        ("version=1.2.3", {}),
        ("a sentence: with words", {}),
    ],
)
def test_printed_pairs(line: str, expected: dict[str, float]) -> None:
    assert values(collect([], [line + "\n"])) == expected


def test_printed_text_may_come_in_any_pieces() -> None:
    found = collect([], ["lo", "ss: 0.", "5\nlo", "ss: 0.25"])
    assert [point.value for point in found["loss"].history] == [0.5, 0.25]
    assert found["loss"].source == "stdout:2"


def test_not_a_number_and_infinity_are_values() -> None:
    found = collect(files(metrics__json='{"a": NaN, "b": -Infinity}'), ["c: inf\n"])
    assert math.isnan(found["a"].value)
    assert found["b"].value == -math.inf
    assert found["c"].value == math.inf


def test_the_stronger_source_wins() -> None:
    found = collect(
        files(metrics__json='{"acc": 3}', all_results__json='{"acc": 2}', log__csv="acc\n1\n"),
        ["acc: 0\n"],
    )
    assert found["acc"].source == "metrics.json:1"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "{", "\x00\xff", '{"a": 1} x']
)
def test_hostile_json_gives_nothing(text: str) -> None:
    assert not collect(files(metrics__json=text), [])


def test_numbers_beyond_any_size() -> None:
    assert collect(files(metrics__json='{"a": ' + "9" * 6000 + "}"), [])["a"].value == math.inf


def test_history_and_names_are_bounded() -> None:
    many = "".join(f'{{"m{n}": 1}}\n' for n in range(metrics.NAMES_LIMIT + 10))
    assert len(collect(files(metrics__jsonl=many), [])) == metrics.NAMES_LIMIT
    long = "".join(f"loss: {n}\n" for n in range(metrics.HISTORY_LIMIT * 2))
    found = collect([], [long])["loss"]
    assert len(found.history) <= metrics.HISTORY_LIMIT
    assert found.value == metrics.HISTORY_LIMIT * 2 - 1


def test_a_line_without_end_is_passed_over() -> None:
    text = '{"a": 1}\n{"b": "' + "x" * (3 << 20) + '"}\n{"c": 2}\n'
    assert values(collect(files(metrics__jsonl=text), [])) == {"a": 1, "c": 2}
    assert not collect([], ["x" * 100_000] * 10)
