"""pip's settings, handed on to uv, and what of them may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.wheels import index_sources
from packer.wheels.candidates import without_logins


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def find(home: Path, **variables: str) -> index_sources.IndexSources:
    environ = {"HOME": str(home), "PIP_CONFIG_FILE": str(home / "chosen.conf"), **variables}
    return index_sources.find(str(home / "venv"), environ)


def test_files_in_pips_order_then_variables(home: Path) -> None:
    (home / "venv").mkdir()
    (home / "venv" / "pip.conf").write_text("[global]\nindex-url = https://site.example/simple\n")
    assert find(home).variables["UV_DEFAULT_INDEX"] == "https://site.example/simple"
    (home / "chosen.conf").write_text(
        "[global]\nindex-url = https://chosen.example/simple\n"
        "extra_index_url =\n    https://a.example\n    https://b.example\n"
        "[install]\nno-index = true\n"
    )
    chosen = find(home)
    assert chosen.variables["UV_DEFAULT_INDEX"] == "https://chosen.example/simple"
    assert chosen.variables["UV_INDEX"] == "https://a.example https://b.example"
    assert chosen.no_index
    named = find(home, PIP_INDEX_URL="https://variable.example")
    assert named.variables["UV_DEFAULT_INDEX"] == "https://variable.example"


def test_uvs_own_settings_stay(home: Path) -> None:
    found = find(home, PIP_INDEX_URL="https://pip.example", UV_DEFAULT_INDEX="https://uv.example")
    assert "UV_DEFAULT_INDEX" not in found.variables


def test_logins_are_kept_by_host_and_nowhere_else(home: Path) -> None:
    found = find(
        home,
        PIP_INDEX_URL="https://me:p%40ss@pip.example/simple",
        UV_INDEX="torch=https://you:word@uv.example/simple",
    )
    assert found.logins == {"pip.example": ("me", "p@ss"), "uv.example": ("you", "word")}
    assert index_sources.without_login("https://me:p@host.example:8/x#sha256=1") == (
        "https://host.example:8/x"
    )
    assert (
        without_logins("no answer from https://me:pass@host/x") == "no answer from https://host/x"
    )


def test_a_directory_of_links_that_is_not_there_is_overlooked(home: Path) -> None:
    assert "UV_FIND_LINKS" not in find(home, PIP_FIND_LINKS="/not/there").variables
    assert find(home, PIP_FIND_LINKS=str(home)).variables["UV_FIND_LINKS"] == str(home)


def test_a_broken_file_is_overlooked(home: Path) -> None:
    (home / "chosen.conf").write_text("index-url without a section")
    assert "UV_DEFAULT_INDEX" not in find(home).variables
