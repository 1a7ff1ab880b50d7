"""What stays out with sendoff, and what does not."""

from __future__ import annotations

from pathlib import Path

from packer.environment import closure
from packer.environment.distribution import Distribution
from tests.unit.packer.wheels.test_wheel_match import INTERPRETER


def installed(name: str, *requires: str, requested: bool = False) -> Distribution:
    return Distribution(
        name=name,
        version="1",
        site="/venv",
        metadata=f"{name}.dist-info",
        requires=requires,
        requested=requested,
    )


def left_out(*distributions: Distribution, asked: tuple[str, ...] = ()) -> set[str]:
    return set(closure.left_out(distributions, asked, INTERPRETER))


def test_without_sendoff_all_stays() -> None:
    assert left_out(installed("click"), installed("rich")) == set()


def test_what_others_need_or_was_asked_for_stays() -> None:
    tools = installed("sendoff", "Click", "rich", "uv", "msgspec")
    parts = [installed("click"), installed("rich", "pygments"), installed("pygments")]
    assert left_out(tools, *parts) == {"sendoff", "click", "rich", "pygments"}
    assert left_out(tools, *parts, installed("mine", "rich")) == {"sendoff", "click"}
    assert left_out(tools, *parts, asked=("Rich",)) == {"sendoff", "click"}
    parts[0] = installed("click", requested=True)
    assert left_out(tools, *parts) == {"sendoff", "rich", "pygments"}


def test_markers_extras_and_circles() -> None:
    tools = installed("sendoff", "a[x]", 'old; python_version < "3.8"', 'no; extra == "plot"')
    parts = [
        installed("a", 'b; extra == "x"', 'c; extra == "y"', "sendoff", "not a ? requirement"),
        installed("b", "a"),
        installed("c"),
        installed("old"),
        installed("no"),
    ]
    assert left_out(tools, *parts) == {"sendoff", "a", "b"}


def test_what_only_the_server_for_agents_needs_stays_out() -> None:
    tools = installed("sendoff", "click", 'mcp; extra == "mcp"', 'matplotlib; extra == "plot"')
    parts = [installed("click"), installed("mcp", "pydantic"), installed("pydantic")]
    parts.append(installed("matplotlib"))
    assert left_out(tools, *parts) == {"sendoff", "click", "mcp", "pydantic"}
    assert left_out(tools, *parts, installed("mine", "pydantic")) == {"sendoff", "click", "mcp"}


def test_what_a_project_declares(tmp_path: Path) -> None:
    assert closure.declared(tmp_path) == ()
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = ['NumPy>=2', 'a.b[c] ; python_version > \"3\"']\n"
        "[project.optional-dependencies]\nplot = ['matplotlib']\n"
        "[dependency-groups]\ndev = ['pytest', {include-group = 'lint'}]\nlint = ['ruff']\n"
    )
    (tmp_path / "requirements-gpu.txt").write_text("-r other.txt\n# no\ntorch==2\n")
    assert closure.declared(tmp_path) == ("a-b", "matplotlib", "numpy", "pytest", "ruff", "torch")
    (tmp_path / "pyproject.toml").write_text("broken [")
    assert closure.declared(tmp_path) == ("torch",)
