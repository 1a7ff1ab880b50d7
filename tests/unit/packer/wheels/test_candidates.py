"""What uv is asked, with the settings that it finds itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packer.wheels import candidates, index_sources
from packer.wheels.candidates import Question
from tests.indexes import Indexes, wheel


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Indexes]:
    """The index of a project's `uv.toml`, behind a login; no other is there."""
    for name in ("PIP_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with Indexes() as served:
        served.logins["simple"] = "me:word"
        url = served.url.replace("://", "://me:word@") + "/simple"
        (tmp_path / "uv.toml").write_text(f'[[index]]\nurl = "{url}"\ndefault = true\n')
        yield served


def test_build_requirements_are_had_from_the_index_of_uvs_files(
    indexes: Indexes, tmp_path: Path
) -> None:
    indexes.add("simple", *wheel("backend", "1.0", requires=("more",)))
    indexes.add("simple", *wheel("more", "2.0"))
    sources = index_sources.find("/sandbox", tmp_path)
    question = Question(python=sys.executable, project=tmp_path, sources=sources)
    found = candidates.resolve(question, ["backend>=1"], "3.11", "x86_64-manylinux_2_28")
    assert {name: wheels[0].version for name, wheels in found.items()} == {
        "backend": "1.0",
        "more": "2.0",
    }
    assert found["more"][0].url == f"{indexes.url}/simple/more-2.0-py3-none-any.whl"
