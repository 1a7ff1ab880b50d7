"""What can never run is refused before anything is packed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.errors import RegistryNotPullable, SecretMissing, StoreNotHere
from dispatcher.kubernetes.errors import StoreNotInReach
from dispatcher.kubernetes.refusals import InputsTooLarge
from packer.errors import SendoffError
from sendoff.grid import SetUp
from sendoff.preparation import Order, prepare
from sendoff.session import Session

ORDER = Order(setups=(SetUp(parameters={}, command=("true",)),))


CLUSTER = {
    "target": "kubernetes",
    "store": "http://127.0.0.1:1/bucket",
    "registry": "registry.example/runs",
}


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sendoff.preparation.pack", None)
    for name in ("CACHE", "DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))


@pytest.mark.usefixtures("nowhere")
def test_inputs_that_no_pod_has_room_for_are_refused_before_they_are_sent(
    tmp_path: Path, monkeypatch
) -> None:
    # No cluster is there to be asked: this is found out without one.
    monkeypatch.setattr("dispatcher.kubernetes.target.KubernetesTarget._choice", lambda *_: None)
    (tmp_path / "large").write_bytes(b"x" * (3 << 20))
    inputs = {"inputs": (f"{tmp_path / 'large'}:data/large",)}
    with pytest.raises(InputsTooLarge) as refused:
        prepare(Session.open(tmp_path, {**CLUSTER, **inputs, "scratch": "2Mi"}), ORDER)
    assert refused.value.size == 3 << 20


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
@pytest.mark.usefixtures("nowhere")
def test_refused_before_packing(
    tmp_path: Path, flags: dict[str, object], refusal: type[SendoffError]
) -> None:
    with pytest.raises(refusal):
        prepare(Session.open(tmp_path, flags), ORDER)
    assert not list(tmp_path.iterdir())
