from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sendoff.bases import choice as base_choice
from sendoff.errors import BaseMissing, BasesUnset
from sendoff.session import Session


def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **flags: Any) -> Session:
    for name in ("BASE", "BASES", "GPU"):
        monkeypatch.delenv(f"SENDOFF_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return Session.open(tmp_path, flags)


PREFIX = "registry.example/base"


@pytest.mark.parametrize(
    ("gpu", "base"),
    [
        ("", "cpu"),
        ("cpu", "cpu"),
        ("h100:2", "cuda-runtime"),
        ("h100,a100-80gb", "cuda-runtime"),
        ("a100:mig-1g.10gb", "cuda-runtime"),
        ("mi300x", "cpu"),
        ("mi300x,h100", "cuda-runtime"),
    ],
)
def test_a_class_implies_a_base(
    gpu: str, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert base_choice.wanted(session(tmp_path, monkeypatch, bases=PREFIX, gpu=gpu)) == base


def test_a_class_of_the_site_counts_by_its_resource() -> None:
    classes: dict[str, dict[str, object]] = {"ours": {"resource": "amd.com/gpu"}}
    assert base_choice.implied("ours", classes) == base_choice.CPU


def test_what_is_named_goes_before_what_is_implied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for named in ("cuda-devel", "python:3.12", f"{PREFIX}/cpu@sha256:{'0' * 64}"):
        given = session(tmp_path, monkeypatch, bases=PREFIX, gpu="h100", base=named)
        assert base_choice.wanted(given) == named


def test_a_name_needs_a_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BasesUnset):
        base_choice.wanted(session(tmp_path, monkeypatch, base="cuda-devel"))
    with pytest.raises(BaseMissing):
        base_choice.wanted(session(tmp_path, monkeypatch))
    # Not of the catalogue, and so an image of Docker Hub.
    assert base_choice.wanted(session(tmp_path, monkeypatch, base="ubuntu")) == "ubuntu"


@pytest.mark.parametrize("prefix", ["base", "team/base"])
def test_a_prefix_begins_with_a_host(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sendoff.errors import InvalidSetting

    with pytest.raises(InvalidSetting, match="registry's host"):
        session(tmp_path, monkeypatch, bases=prefix)


def test_a_login_is_for_its_own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sendoff.registries import bases_repository

    own = session(tmp_path, monkeypatch, bases=PREFIX, registry="registry.example/team/runs")
    assert bases_repository(own, "cpu")._access.password == "SENDOFF_REGISTRY_PASSWORD"
    other = session(tmp_path, monkeypatch, bases=PREFIX, registry="other.example/team/runs")
    assert bases_repository(other, "cpu")._access.password == ""
