"""What stays out with sendoff, and what does not."""

from __future__ import annotations

from packer.environment import closure
from packer.environment.distribution import Distribution
from packer.environment.environment import Environment, Installed
from tests.unit.packer.wheels.test_wheel_match import INTERPRETER, SITE


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


def environment(*distributions: Distribution, files: dict[str, tuple[str, ...]]) -> Environment:
    """One of these, each with files by its name."""
    return Environment(
        interpreter=INTERPRETER,
        packages=SITE,
        distributions=tuple(
            Installed(
                distribution=each,
                files=(),
                recorded={f"{SITE}/{path}": "" for path in files.get(each.name, ())},
            )
            for each in distributions
        ),
    )


FILES = {
    "sendoff": ("sendoff/__init__.py",),
    "pyyaml": ("yaml/__init__.py", "_yaml/__init__.py", "pyyaml-1.dist-info/METADATA"),
    "rich": ("rich/__init__.py", "../../../bin/rich"),
    "pygments": ("pygments/__init__.py",),
    "single": ("single.py", "fast.cpython-311-x86_64-linux-gnu.so", "old.abi3.so"),
}


def test_what_the_project_imports_stays_with_what_it_needs() -> None:
    parts = [installed("sendoff", "pyyaml", "rich", "single"), installed("pyyaml")]
    parts += [installed("rich", "pygments"), installed("pygments"), installed("single")]
    found = environment(*parts, files=FILES)
    nothing = closure.of(found, (), frozenset)
    assert nothing.left_out == {each.name for each in parts}
    assert nothing.watched == {"yaml", "_yaml", "rich", "pygments", "single", "fast", "old"}
    assert not nothing.imported
    some = closure.of(found, (), lambda: frozenset({"rich", "fast", "numpy", "sendoff"}))
    assert some.left_out == {"sendoff", "pyyaml"}
    assert (some.watched, some.imported) == (nothing.watched, {"rich", "fast"})
    declared = closure.of(found, ("PyYAML", "single"), lambda: frozenset({"yaml"}))
    assert declared.left_out == {"sendoff", "rich", "pygments"}
    assert declared.watched == {"rich", "pygments"}


def test_imports_are_not_looked_for_where_nothing_depends_on_them() -> None:
    def never() -> frozenset[str]:
        raise AssertionError

    mine = installed("rich")
    assert closure.of(environment(mine, files=FILES), (), never) == closure.Closure()
    found = environment(installed("sendoff", "rich"), mine, files=FILES)
    assert closure.of(found, ("rich",), never).left_out == {"sendoff"}
