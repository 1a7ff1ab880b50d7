"""Runs on a cluster whose end nobody waited for, and the registry that is to know of them."""

from __future__ import annotations

from tests.e2e.cluster.desk import Desk
from tests.e2e.desk import until


def test_whoever_looks_next_has_the_registry_told(desk: Desk) -> None:
    desk.write("train.py", "print('loss: 1')\n")
    run = desk.sent("run", "--timeout", "5m", "--", "python", "train.py")
    keys, below = desk.site.objects().keys, f"runs/{run}/"
    until(lambda: f"{below}0/manifest.json" in keys(below))
    assert f"{below}attached.json" not in keys(below)
    (shown,) = [each for each in desk.json("ps") if each["id"] == run]
    assert shown["state"] == "succeeded"
    until(lambda: f"{below}attached.json" in keys(below))
    told = desk.json("show", shown["digest"])["runs"]
    assert [each["run"]["id"] for each in told] == [run]
