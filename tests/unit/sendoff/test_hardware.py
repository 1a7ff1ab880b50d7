from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from dispatcher.kubernetes.offers import Offer, Unnamed
from dispatcher.runner import gpu
from sendoff import hardware
from sendoff.command_line import run
from sendoff.hardware import Hardware

if TYPE_CHECKING:
    import pytest

OFFER = Offer(
    name="h100",
    resource="nvidia.com/gpu",
    memory=80 * 10**9,
    nodes=2,
    count=16,
    free=5,
    largest=8,
    largest_free=4,
    drivers=("535.104.05", "550.54.15"),
    queue="gold",
    taints=(),
    labels=(),
    kept_off=0,
    usable=True,
    own=False,
)


def test_a_row_for_each_class() -> None:
    found = Hardware(target="kubernetes", offers=(OFFER,))
    assert hardware.rows(found) == [
        ["h100", "80.0 GB", "16", "5", "8", "4", "535.104.05, 550.54.15", "gold", "-"]
    ]
    assert len(hardware.HEADER) == len(hardware.rows(found)[0])
    assert hardware.remarks(found) == []


def test_what_is_not_known_is_said_so() -> None:
    blind = msgspec.structs.replace(
        OFFER, free=None, largest_free=None, taints=("a:NoSchedule",), kept_off=8
    )
    found = Hardware(
        target="kubernetes",
        offers=(blind,),
        unnamed=(Unnamed(product="NVIDIA-X1", resource="nvidia.com/gpu", nodes=1, count=4),),
        hidden="pods can't be listed",
    )
    assert hardware.rows(found)[0][3:6] == ["-", "8", "-"]
    assert hardware.rows(found)[0][-1] == "8 more: a:NoSchedule"
    first, second, third = hardware.remarks(found)
    assert first == "pods can't be listed"
    assert second.startswith("4 × NVIDIA-X1 belong to no class")
    assert "tolerations" in third


def test_labels_that_keep_runs_off_are_told_from_taints() -> None:
    arm = msgspec.structs.replace(
        OFFER, labels=("kubernetes.io/arch=arm64",), kept_off=16, usable=False
    )
    found = Hardware(target="kubernetes", offers=(arm,))
    assert hardware.rows(found)[0][-1] == "kubernetes.io/arch=arm64"
    (said,) = hardware.remarks(found)
    assert "linux/amd64" in said
    assert "tolerations" not in said


def test_this_machine(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    card = {"name": "NVIDIA H100 80GB HBM3", "memory": 85_520_809_984, "driver": "550.54.15"}
    monkeypatch.setattr(gpu, "facts", lambda: [card])
    assert run(["gpus"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "gpu                    memory   driver",
        "NVIDIA H100 80GB HBM3  85.5 GB  550.54.15",
    ]
    assert run(["gpus", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"target": "local", "gpus": [card]}


def test_a_machine_without_a_gpu(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(gpu, "present", lambda: False)
    assert run(["gpus"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "none" in err
