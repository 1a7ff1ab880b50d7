"""What can never run is refused before anything is packed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.errors import RegistryNotPullable, SecretMissing, StoreNotHere
from dispatcher.kubernetes.errors import StoreNotInReach
from packer.errors import SendoffError
from sendoff.grid import SetUp
from sendoff.preparation import Order, prepare
from sendoff.session import Session

ORDER = Order(setups=(SetUp(parameters={}, command=("true",)),))


@pytest.mark.parametrize(
    ("flags", "refusal"),
    [
        ({"secrets": ("NOBODY_SET_THIS",)}, SecretMissing),
        ({"store": "http://127.0.0.1:1/bucket"}, StoreNotHere),
        ({"target": "kubernetes", "gpu": "h100"}, StoreNotInReach),
        ({"target": "kubernetes", "store": "http://127.0.0.1:1/bucket"}, RegistryNotPullable),
        ({"target": "docker"}, RegistryNotPullable),
    ],
)
def test_refused_before_packing(
    tmp_path: Path, monkeypatch, flags: dict[str, object], refusal: type[SendoffError]
) -> None:
    monkeypatch.setattr("sendoff.preparation.pack", None)
    for name in ("CACHE", "DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    with pytest.raises(refusal):
        prepare(Session.open(tmp_path, flags), ORDER)
    assert not list(tmp_path.iterdir())
