"""Whether a script can be imported for the sake of one of its functions."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

_HARMLESS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Pass,
    ast.Try,
    ast.With,
    ast.If,
)


def importable(path: Path) -> bool:
    """Whether importing it starts nothing: what it does stands below `if __name__ == "__main__"`.

    Read, never run. Where a bare call or a loop stands at its top, it is taken for one that works.
    """
    try:
        return _importable(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return False


@lru_cache(maxsize=8)
def _importable(source: str) -> bool:
    statements = [each for each in ast.parse(source).body if not _is_text(each)]
    imported = [each for each in statements if not _is_guard(each)]
    senders = _senders(imported)
    if any(_sends(node, senders) for each in imported for node in _executed(each)):
        return False
    return all(isinstance(each, _HARMLESS) for each in imported) or len(imported) < len(statements)


def _is_guard(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Compare):
        return False
    names = [node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)]
    texts = [node.value for node in ast.walk(statement.test) if isinstance(node, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_VERBS = frozenset({"remote", "spawn", "map", "starmap"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _senders(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """What the script defines that sends a function off when it is called, itself or by others."""
    bodies = {
        each.name: [node for part in each.body for node in ast.walk(part)]
        for each in statements
        if isinstance(each, (*_FUNCTIONS, ast.ClassDef))
    }
    found: frozenset[str] = frozenset()
    while True:
        more = {name for name, body in bodies.items() if any(_sends(node, found) for node in body)}
        if more == found:
            return found
        found = frozenset(more)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when it is imported: all of it but functions."""
    if isinstance(node, _FUNCTIONS):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _executed(child)


def _sends(node: ast.AST, senders: Collection[str]) -> bool:
    """Whether this sends a function off: `sendoff.remote` only makes one that can be."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Name):
        return called.id in senders
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _VERBS
        and not (isinstance(called.value, ast.Name) and called.value.id == "sendoff")
    )
