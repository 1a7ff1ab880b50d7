"""Every error there is, made once: what each has to say, whoever asks."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import pytest

from dispatcher.run import Failure
from packer.errors import SendoffError
from packer.registry.errors import RegistryError
from packer.reproduction.difference import Difference
from packer.wheels.errors import Wheelless
from sendoff.mcp import arguments, problems, schema

ROOT = Path(__file__).parents[3]
PACKAGES = ("packer", "dispatcher", "sendoff")
ROOTS = {RegistryError}
"""What is never raised itself."""
SHARED = {
    "BLOB_ALTERED",
    "BUILDER_UNFIT",
    "BUILDER_UNREACHABLE",
    "CONFIG_INVALID",
    "CONFLICT",
    "DIGEST_GONE",
    "DISK_FULL",
    "GPU_IMPOSSIBLE",
    "GPU_UNKNOWN",
    "IMAGE_PULL",
    "MCP_TOKEN",
    "PYTHON_MISMATCH",
    "PYTHON_NOT_FOUND",
    "RECORD_UNREADABLE",
    "REGISTRY_READ_ONLY",
    "REGISTRY_UNREACHABLE",
    "RUN_UNKNOWN",
    "STORE_REFUSED",
    "TOOL_TIMEOUT",
    "TREE_CHANGED",
    "WHEEL_UNAVAILABLE",
}
"""Codes that several classes have on purpose: one thing to whoever reads them, seen in several
places. Every other is of one class."""
EXIT_CODES = {1, 2, 3, 125}
SAMPLES: dict[str, Any] = {
    "str": "word",
    "int": 2,
    "float": 2.5,
    "bool": True,
    "int | None": 2,
    "Path": Path("word"),
    "Exception": ValueError("word"),
    "Sequence[str]": ("word", "other"),
    "tuple[str, ...]": ("word", "other"),
    "tuple[tuple[str, int], ...]": (("word", 2),),
    "Sequence[Wheelless]": (Wheelless(name="word", version="1", seen="word.so"),),
    "Difference": Difference(what="outputs", was="a", now="b"),
    "Mapping[str, Any]": {
        "type": "Odd",
        "message": "word",
        "traceback": "word",
        "result": {"type": "Odd", "repr": "word"},
    },
    "Failure | None": Failure(
        code="OOM_HOST", phase="run", blame="user", retryable=False, message="word", fix="more"
    ),
}
"""What stands for each type of what errors are made from."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """All but the runner's, which has none of our errors and is no package."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.is_relative_to(ROOT / "dispatcher" / "runner"):
                yield path, ast.parse(path.read_bytes())


def coded() -> dict[str, Path]:
    """Names of the classes that say which code they have."""
    return {
        node.name: path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "code" in _assigned(node)
    }


def _assigned(node: ast.ClassDef) -> set[str]:
    lines = (line for line in node.body if isinstance(line, ast.Assign))
    return {each.id for line in lines for each in ast.walk(line) if isinstance(each, ast.Name)}


def load() -> list[type[SendoffError]]:
    """All errors of all modules that define any."""
    for path in sorted(set(coded().values())):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found = {each for each in descendants(SendoffError) if each.__module__.startswith(PACKAGES)}
    return sorted(found - ROOTS, key=lambda kind: (kind.__module__, kind.__name__))


def descendants(kind: type[SendoffError]) -> Iterator[type[SendoffError]]:
    for each in kind.__subclasses__():
        yield each
        yield from descendants(each)


def made(kind: type[SendoffError], *, least: bool) -> SendoffError:
    """One of this class; the `least` of what it can be made from, or all of it."""
    positional, named = [], {}
    for each in list(signature(kind.__init__).parameters.values())[1:]:
        if each.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        if each.default is not Parameter.empty and (least or each.annotation not in SAMPLES):
            continue
        if each.kind is Parameter.KEYWORD_ONLY:
            named[each.name] = SAMPLES[each.annotation]
        else:
            positional.append(SAMPLES[each.annotation])
    return kind(*positional, **named)


ERRORS = load()
each_error = pytest.mark.parametrize(
    "kind", ERRORS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)


def test_none_is_left_out() -> None:
    assert coded().keys() <= {kind.__name__ for kind in ERRORS}


def test_a_code_is_of_one_error_but_for_those_that_are_known() -> None:
    codes = [kind.code for kind in ERRORS]
    assert {code for code in codes if codes.count(code) > 1} == SHARED


@each_error
def test_an_error_says_what_and_whose_it_is_and_what_to_do(kind: type[SendoffError]) -> None:
    assert kind.code.replace("_", "").isalnum()
    assert kind.code == kind.code.upper()
    assert kind.phase.islower()
    assert kind.exit_code in EXIT_CODES
    # Whoever misuses something is told by each place that finds it: see below.
    forms = (False,) if kind.code == "USAGE" else (False, True)
    for least in forms:
        error = made(kind, least=least)
        told = error.as_dict()
        assert told["message"] not in ("", kind.code)
        assert told["fix"], least
        assert "\n" not in told["message"] + told["fix"]


@each_error
def test_an_agent_is_told_it_with_the_one_to_blame(kind: type[SendoffError]) -> None:
    error = made(kind, least=False)
    told = schema.written(problems.of(error, "submit"))
    assert (told["code"], told["phase"]) == (kind.code, kind.phase)
    assert told["retryable"] is kind.retryable
    assert told["blame"] in ("user", "infra", "capacity", "config")
    assert told["fix"] == arguments.named(error.fix())


def test_every_misuse_comes_with_a_way_out() -> None:
    without = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Misuse"
        if len(node.args) < 3 and "fix" not in {each.arg for each in node.keywords}
    ]
    assert not without
