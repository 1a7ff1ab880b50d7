"""How long servers ask us to wait."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from packer import retry_after


@pytest.mark.parametrize(
    ("value", "seconds"), [("", 0), ("3", 3), (" 120 ", 120), ("soon", 0), ("-5", 0), ("1.5", 0)]
)
def test_waits(value: str, seconds: float) -> None:
    assert retry_after.seconds(value) == seconds


def test_waiting_for_a_time() -> None:
    assert 50 < retry_after.seconds(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert retry_after.seconds(formatdate(time.time() - 60, usegmt=True)) == 0
