"""How a function is spelled in a command: by reference where it can, by value where it must."""

from __future__ import annotations

import inspect
import sys
import sysconfig
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from packer.record import Record
from sendoff.functions.errors import FunctionRefused
from sendoff.functions.script import importable

_OURS = "dispatcher.runner.site."
_REGISTRY = RLock()
"""Held while modules are registered with cloudpickle; what is being pickled may pickle others."""


class Spelling(Record, frozen=True):
    """The word for a function, and what goes with it."""

    word: str
    """`module:name`, `script.py:name`, or empty where `pickle` is the function."""
    path: str = ""
    """The folder of the project that its modules are imported from; empty for the project."""
    pickle: bytes = b""
    whole: bool = True
    """Whether pickles have what __main__ defines in them, because there is none like it there."""


class SentByValue(UserWarning):
    """A function goes as a pickle, because no import would find it there."""


def spell(function: Callable[..., Any], project: Path) -> Spelling:
    """The spelling of a function for a run whose working directory is a copy of `project`.

    Raises:
        FunctionRefused: it can't be sent, by name or by value.
    """
    refuse(function)
    # Methods of built-in types have none.
    if (getattr(function, "__module__", None) or "").startswith(_OURS):
        # A function that images have from us, where it has another name.
        return Spelling(word=f"{function.__module__.removeprefix(_OURS)}:{function.__qualname__}")
    if isinstance(function, type) or inspect.isfunction(function) or inspect.isbuiltin(function):
        return _by_reference(function, project) or _by_value(function, project)
    return _by_value(function, project)


def modules_by_value() -> set[str]:
    """The names of the modules that pickles have to hold, as cloudpickle was told."""
    cloudpickle: Any = sys.modules.get("cloudpickle")
    return cloudpickle.list_registry_pickle_by_value() if cloudpickle else set()


def refuse(function: Callable[..., Any]) -> None:
    """Refuse what returns before it has done its work.

    Raises:
        FunctionRefused
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise FunctionRefused(
            name_of(function),
            "it is a generator, whose values exist only while it is running",
            "return a list; or write values to a file as they come, and fetch that",
        )


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called in front of people."""
    return getattr(function, "__name__", "") or type(function).__name__


def _by_reference(function: Callable[..., Any], project: Path) -> Spelling | None:
    name = getattr(function, "__qualname__", "")
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    if module is None or "<" in name or not _is_at(function, module, name):
        return None
    if module.__name__ == "__main__":
        return _of_main(module, name, project)
    file = getattr(module, "__file__", None)
    if file is None or _installed(Path(file)):
        return Spelling(word=f"{module.__name__}:{name}")
    return _of_project(module.__name__, Path(file), name, project)


def _is_at(function: Callable[..., Any], module: ModuleType, name: str) -> bool:
    found = found_at(module, name)
    return found is function or getattr(found, "__wrapped__", None) is function


def found_at(module: ModuleType | None, name: str) -> Any:
    """What a module has under a qualified name; None if it has nothing."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _of_main(module: ModuleType, name: str, project: Path) -> Spelling | None:
    file = getattr(module, "__file__", None)
    if not file:
        return None
    spec = getattr(module, "__spec__", None)
    path = Path(file).resolve()
    if spec is not None and spec.name != "__main__":
        return _of_project(spec.name, path, name, project)
    if not path.is_relative_to(project) or path.suffix != ".py" or not importable(path):
        return None
    return Spelling(word=f"{path.relative_to(project)}:{name}", whole=False)


def _of_project(module: str, file: Path, name: str, project: Path) -> Spelling | None:
    """By the module's name, with the folder it is imported from."""
    file = file.resolve()
    if not file.is_relative_to(project):
        return None
    parts = module.split(".")
    if file.stem == "__init__":
        parts.append("__init__")
    root = file.parents[len(parts) - 1] if len(parts) <= len(file.parents) else file
    if root.joinpath(*parts) != file.with_suffix("") or not root.is_relative_to(project):
        return None
    path = str(root.relative_to(project))
    return Spelling(word=f"{module}:{name}", path="" if path == "." else path)


def _installed(file: Path) -> bool:
    paths = (sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib"))
    return any(file.is_relative_to(path) for path in paths)


def _by_value(function: Callable[..., Any], project: Path) -> Spelling:
    from dispatcher.runner.site.sendoff import values

    with _REGISTRY, ExitStack() as stack:
        for module in _strange(function, project):
            import cloudpickle

            # What the user has registered stays so.
            if module.__name__ not in modules_by_value():
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
            warnings.warn(
                f"{name_of(function)} is sent by value: {module.__name__} ({module.__file__}) is "
                f"neither in the project {project} nor installed; what it imports must be",
                SentByValue,
                stacklevel=2,
            )
        try:
            data = values.pickled(function, whole=True)
        except Exception as error:
            raise FunctionRefused(
                name_of(function),
                f"it can't be found by name, nor pickled: {type(error).__name__}: {error}",
                "define it at the top of a module of the project",
            ) from error
    return Spelling(word="", pickle=data)


def _strange(function: Callable[..., Any], project: Path) -> list[ModuleType]:
    """The function's module, where no import would find it there."""
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__ == "__main__":
        return []
    path = Path(file).resolve()
    return [] if path.is_relative_to(project) or _installed(Path(file)) else [module]
