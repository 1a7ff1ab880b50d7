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
    places = {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "system")}
    environ = {**places, "PIP_CONFIG_FILE": str(home / "chosen.conf"), **variables}
    return index_sources.find(str(home / "venv"), home, environ)


def indexes(found: index_sources.IndexSources) -> dict[str, str]:
    """What uv is told of indexes."""
    return {name: value for name, value in found.variables.items() if "INDEX" in name}


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


PRIVATE = """
[[index]]
name = "mine"
url = "https://me:p%40ss@uv.example/simple"
default = true
[[index]]
name = "only"
url = "https://:token@only.example/simple"
explicit = true
"""


def test_uvs_files_have_indexes_and_logins(home: Path) -> None:
    (home / "uv.toml").write_text(PRIVATE)
    found = find(home)
    assert indexes(found) == {}
    assert found.indexes == ("https://uv.example/simple",)
    assert found.logins == {"uv.example": ("me", "p@ss"), "only.example": ("", "token")}
    named = find(home, UV_INDEX_MINE_USERNAME="you", UV_INDEX_MINE_PASSWORD="word")
    assert named.logins["uv.example"] == ("you", "word")


def test_pips_index_stands_beside_uvs_default_and_after_it(home: Path) -> None:
    (home / "uv.toml").write_text(PRIVATE)
    pips = {
        "PIP_INDEX_URL": "https://pip.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://x.example/simple",
    }
    found = find(home, **pips)
    assert indexes(found) == {"UV_INDEX": "https://x.example/simple https://pip.example/simple"}
    assert found.indexes == (
        "https://uv.example/simple",
        "https://x.example/simple",
        "https://pip.example/simple",
    )
    alone = find(home, **pips, UV_NO_CONFIG="1")
    assert indexes(alone) == {
        "UV_DEFAULT_INDEX": "https://pip.example/simple",
        "UV_INDEX": "https://x.example/simple",
    }
    assert alone.indexes == ("https://x.example/simple", "https://pip.example/simple")


def test_pypi_is_asked_for_sources_where_nothing_stands_for_it(home: Path) -> None:
    assert find(home).indexes == ("https://pypi.org/simple",)
    further = find(home, UV_INDEX="torch=https://t.example/simple")
    assert further.indexes == ("https://t.example/simple", "https://pypi.org/simple")
    assert find(home, PIP_NO_INDEX="1").indexes == ()
    (home / "uv.toml").write_text("no-index = true")
    assert find(home).indexes == ()


def test_a_distribution_that_uv_takes_from_one_index_has_that_alone(home: Path) -> None:
    (home / "uv.toml").write_text(PRIVATE)
    (home / "pyproject.toml").write_text('[tool.uv.sources]\nfoo = { index = "only" }\n')
    found = find(home)
    assert found.places("foo") == ("https://only.example/simple",)
    assert found.places("bar") == ("https://uv.example/simple",)
    assert find(home, PIP_NO_INDEX="1").places("foo") == ()
