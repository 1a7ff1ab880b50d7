"""uv's own settings, read as uv reads them: it is asked itself where that is to be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from packer.wheels import uv_settings
from packer.wheels.uv_settings import UvIndex
from tests.indexes import Indexes


@pytest.fixture
def indexes() -> Iterator[Indexes]:
    with Indexes() as served:
        yield served


def environ(folder: Path, **variables: str) -> dict[str, str]:
    """A machine whose files of uv's are below `folder`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    places = {"HOME": str(folder / "home"), "XDG_CONFIG_DIRS": str(folder / "system")}
    inherited.pop("XDG_CONFIG_HOME", None)
    return {**inherited, **places, **variables}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def by_uv(served: Indexes, project: Path, variables: dict[str, str]) -> list[str]:
    """The indexes that uv asks for a name that none of them has, in its order."""
    command = [find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-cache"]
    subprocess.run(
        [*command, "--python", sys.executable],
        input=b"nowhere==1.0",
        env=variables,
        cwd=project,
        capture_output=True,
        check=False,
    )
    return [served.url + each.split()[1].removesuffix("/nowhere/") for each in served.asked]


INDEX = '[[{table}index]]\nurl = "{url}/{name}"\n{further}\n'


def table(served: Indexes, name: str, *further: str, tool: bool = False) -> str:
    return INDEX.format(
        table="tool.uv." * tool, url=served.url, name=name, further="\n".join(further)
    )


def every_level(served: Indexes, folder: Path) -> dict[str, str]:
    default = "default = true"
    write(folder / "project/uv.toml", table(served, "a", 'name = "x"') + table(served, "b"))
    user = f'extra-index-url = ["{served.url}/c"]\n' + table(served, "x", 'name = "x"')
    write(folder / "home/.config/uv/uv.toml", user + table(served, "d", default))
    write(folder / "system/uv/uv.toml", table(served, "e") + table(served, "y", default))
    return {"UV_INDEX": f"v={served.url}/v {served.url}/w"}


def only_project(served: Indexes, folder: Path) -> dict[str, str]:
    text = table(served, "a", tool=True) + table(
        served, "z", "explicit = true", 'name = "z"', tool=True
    )
    pip = f'[tool.uv.pip]\nindex-url = "{served.url}/p"\n'
    write(folder / "project/pyproject.toml", text + pip)
    write(folder / "uv.toml", table(served, "y"))
    return {"UV_DEFAULT_INDEX": f"named={served.url}/v"}


def chosen_file(served: Indexes, folder: Path) -> dict[str, str]:
    write(folder / "project/uv.toml", table(served, "y"))
    write(folder / "other.toml", f'index-url = "{served.url}/a"\n')
    return {"UV_CONFIG_FILE": str(folder / "other.toml")}


def further_up(served: Indexes, folder: Path) -> dict[str, str]:
    write(folder / "project/pyproject.toml", '[project]\nname = "a"\nversion = "1"\n')
    write(folder / "uv.toml", table(served, "a", "default = true"))
    return {}


def member(served: Indexes, folder: Path) -> dict[str, str]:
    mine = table(served, "y", "default = true", tool=True)
    write(folder / "project/pyproject.toml", '[project]\nname = "a"\nversion = "1"\n' + mine)
    root = '[tool.uv.workspace]\nmembers = ["proj*"]\n' + table(
        served, "a", "default = true", tool=True
    )
    write(folder / "pyproject.toml", root)
    return {}


@pytest.mark.parametrize("written", [every_level, only_project, chosen_file, further_up, member])
def test_the_order_is_uvs(indexes: Indexes, tmp_path: Path, written) -> None:
    project = tmp_path / "project"
    project.mkdir()
    variables = environ(tmp_path, **written(indexes, tmp_path))
    expected = by_uv(indexes, project, variables)
    assert expected
    assert uv_settings.read(project, variables).urls() == expected


def test_nothing_is_read_where_uv_reads_nothing(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", '[[index]]\nurl = "https://a.example"\n')
    assert uv_settings.read(tmp_path, environ(tmp_path)).urls() == ["https://a.example"]
    assert uv_settings.read(tmp_path, environ(tmp_path, UV_NO_CONFIG="1")).indexes == ()
    write(tmp_path / "uv.toml", "rubbish")
    assert uv_settings.read(tmp_path, environ(tmp_path)).indexes == ()


def test_a_path_is_of_the_file_that_names_it(tmp_path: Path) -> None:
    write(tmp_path / "uv.toml", 'find-links = ["links"]\n[[index]]\nurl = "./simple"\n')
    (tmp_path / "project").mkdir()
    found = uv_settings.read(tmp_path / "project", environ(tmp_path))
    assert found.urls() == [(tmp_path / "simple").as_uri()]
    assert (tmp_path / "links").as_uri() in found.links


def test_sources_name_the_only_indexes_of_a_distribution(tmp_path: Path) -> None:
    text = (
        '[tool.uv.sources]\nFoo_Bar = { index = "mine" }\n'
        'two = [{ index = "mine", marker = "a" }, { index = "other" }, { git = "https://g" }]\n'
        'lost = { index = "nowhere" }\ngit = { git = "https://g.example" }\n'
        '[[tool.uv.index]]\nname = "mine"\nurl = "https://m.example"\nexplicit = true\n'
        '[[tool.uv.index]]\nname = "other"\nurl = "https://o.example"\n'
        '[[tool.uv.index]]\nname = "flat"\nurl = "https://f.example"\nformat = "flat"\n'
    )
    write(tmp_path / "pyproject.toml", text)
    found = uv_settings.read(tmp_path, environ(tmp_path))
    assert found.urls() == ["https://o.example"]
    assert found.urls_of("foo-bar") == ("https://m.example",)
    assert found.urls_of("two") == ("https://m.example", "https://o.example")
    assert found.urls_of("lost") == ()
    assert "git" not in found.chosen
    # Also where a uv.toml stands before the tables.
    write(tmp_path / "uv.toml", "")
    assert uv_settings.read(tmp_path, environ(tmp_path)).urls_of("foo-bar") == found.urls_of(
        "foo-bar"
    )


def test_variables_have_logins_by_the_name_of_an_index() -> None:
    index = UvIndex(url="https://i.example/simple", name="my-in.dex")
    variables = {"UV_INDEX_MY_IN_DEX_USERNAME": "me", "UV_INDEX_MY_IN_DEX_PASSWORD": "word"}
    found = uv_settings.UvSettings(indexes=(index, UvIndex(url="https://o.example")))
    assert list(found.logins(variables)) == [(index.url, ("me", "word"))]
    assert not list(found.logins({}))


def test_every_file_that_may_hold_settings_is_told(tmp_path: Path) -> None:
    variables = environ(tmp_path, UV_CONFIG_FILE=str(tmp_path / "chosen.toml"))
    found = uv_settings.files(tmp_path / "project", variables)
    expected = ("project/uv.toml", "pyproject.toml", "home/.config/uv/uv.toml")
    assert {tmp_path / each for each in (*expected, "system/uv/uv.toml", "chosen.toml")} <= {*found}
