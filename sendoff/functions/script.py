"""Whether a script can be imported for the sake of one of its functions."""

from __future__ import annotations

import ast
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
    if any(_sends(each) for each in statements if not _is_guard(each)):
        return False
    return all(isinstance(each, _HARMLESS) for each in statements if not _is_guard(each)) or any(
        map(_is_guard, statements)
    )


def _is_guard(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Compare):
        return False
    names = [node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)]
    texts = [node.value for node in ast.walk(statement.test) if isinstance(node, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_VERBS = frozenset({"remote", "spawn", "map", "starmap"})


def _sends(statement: ast.stmt) -> bool:
    """Whether a function is sent off outside of any function: `@sendoff.remote` does not count."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _VERBS
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "sendoff")
        for node in ast.walk(statement)
    )
