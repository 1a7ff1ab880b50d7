"""Prices, and the words for what runs took."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.request import IdleLimit
from dispatcher.run import Phases
from dispatcher.usage import Held, by_class
from sendoff import cost
from sendoff.cost import Bill
from sendoff.settings import values as setting_values

HOUR = 3600.0
WAVE = (
    Held(gpu="h100", count=2, phases=Phases(queued=60, running=HOUR, uploading=0), busy=0.75),
    Held(gpu="h100", count=1, phases=Phases(pulling=HOUR / 2, running=HOUR / 2)),
    Held(gpu="a40", count=1, phases=Phases(running=36)),
    Held(gpu="cpu", count=0, phases=Phases(running=10)),
)
BILL = Bill(classes=by_class(WAVE), prices={"h100": 2.49, "a40": 0.4}, currency="EUR")


def test_a_class_costs_its_gpu_hours() -> None:
    a40, cpu, h100 = BILL.classes
    assert BILL.cost(h100) == pytest.approx(3 * 2.49)
    assert BILL.cost(a40) == pytest.approx(0.004)
    assert BILL.cost(cpu) == 0
    assert BILL.total == pytest.approx(7.474)
    assert BILL.gpu_hours == pytest.approx(3.01)
    assert BILL.unpriced == ()
    assert cost.remarks(BILL) == []


def test_words(golden) -> None:
    lines = [cost.HEADER, *cost.rows(BILL)]
    unpriced = Bill(classes=BILL.classes, prices={"a40": 0.4}, currency="", unknown=2)
    lines += [cost.HEADER, *cost.rows(unpriced)]
    text = "\n".join(" | ".join(line) for line in lines)
    for bill in (BILL, unpriced):
        text += "\n\n" + "\n".join([*cost.sentences(bill), *cost.remarks(bill)])
    golden("words/cost.txt", text + "\n")


def test_a_price_that_several_classes_share_is_theirs() -> None:
    bill = Bill(classes=(), prices={"h100": 2.0, "h100-pcie": 2.0, "a40": 1.0}, currency="")
    assert bill.price("h100,h100-pcie") == 2
    assert bill.price("h100,a40") is None
    assert bill.price("h100,b200") is None
    assert bill.price("b200") is None


@pytest.mark.parametrize("name", ["a100:mig-1g.5gb", "a100-mig-1g.5gb", "A100_mig-1g.5gb"])
def test_a_slice_has_a_price_of_its_own(name: str) -> None:
    prices = setting_values.prices({"a100": 2, name: 0.3}, Path())
    bill = Bill(classes=(), prices=prices, currency="")
    assert bill.price("a100:mig-1g.5gb") == bill.price("a100-mig-1g.5gb") == 0.3
    assert bill.price("a100-mig-2g.10gb") is None


def test_without_runs_there_is_nothing_to_pay() -> None:
    nothing = Bill(classes=(), prices={}, currency="USD")
    assert cost.document(nothing) == {
        "classes": [],
        "gpu_hours": 0,
        "cost": 0,
        "currency": "USD",
        "unpriced": (),
        "unknown_attempts": 0,
    }
    assert cost.rows(nothing) == cost.sentences(nothing) == []


@pytest.mark.parametrize(
    ("value", "prices"),
    [
        ({"H100": 2.49, "a40": "0.4", "free": 0}, {"h100": 2.49, "a40": 0.4, "free": 0}),
        ("h100=2.49,a40=0.4", {"h100": 2.49, "a40": 0.4}),
        ({"rtx_4090": 0.5, "RTX A6000": 0.7}, {"rtx-4090": 0.5, "rtx-a6000": 0.7}),
        ("", {}),
    ],
)
def test_prices(value: object, prices: dict[str, float]) -> None:
    assert setting_values.prices(value, Path()) == prices


@pytest.mark.parametrize(
    "value", [{"h100": "much"}, {"h100": -1}, {"h100": True}, {"cpu": 1}, ["h100"], "h100", 3]
)
def test_no_prices(value: object) -> None:
    with pytest.raises(ValueError, match=r"price|table"):
        setting_values.prices(value, Path())


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("5%,10m", IdleLimit(share=0.05, seconds=600)),
        (" 12.5 %, 90", IdleLimit(share=0.125, seconds=90)),
        ("100%,1h30m", IdleLimit(share=1, seconds=5400)),
        ("off", None),
        ("", None),
    ],
)
def test_an_idle_limit(value: str, limit: IdleLimit | None) -> None:
    assert setting_values.idle_limit(value, Path()) == limit


@pytest.mark.parametrize(
    "value", ["5%", "5,10m", "10m,5%", "0%,10m", "5%,0s", "101%,1m", "x%,1m", "5%,soon", "nan%,1m"]
)
def test_no_idle_limit(value: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        setting_values.idle_limit(value, Path())
