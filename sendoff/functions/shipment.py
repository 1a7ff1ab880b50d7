"""From calls of a function to a run that was sent off: an index for each call."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatcher.input_source import Source, given
from packer.progress import SILENT, Progress
from packer.record import Record
from sendoff.functions.arguments import FOLDER, Bound, Speller
from sendoff.functions.errors import FunctionRefused
from sendoff.functions.spelling import Spelling, name_of, spell
from sendoff.grid import SetUp
from sendoff.preparation import Order, prepare
from sendoff.session import Session
from sendoff.shipping import sent, understood
from sendoff.terminal.console import Console, is_terminal

if TYPE_CHECKING:
    from sendoff.handle import Run
    from sendoff.settings.catalogue import Settings

MODULE = ("python", "-m", "sendoff.call")
_MARKS = ("sendoff.toml", "pyproject.toml", ".git")


class Options(Record, frozen=True):
    """How calls are sent: what `sendoff.remote` and `Function.options` were given."""

    wishes: dict[str, Any] = {}
    """As `sendoff.ship` takes them."""
    name: str = ""
    project: str = ""
    """Empty: the current directory if the function is in it, else the project it is in."""

    def changed(self, given: Mapping[str, Any]) -> Options:
        """The same with other wishes.

        Raises:
            Misuse: there is no such wish.
        """
        given = dict(given)
        name = given.pop("name", self.name)
        project = os.fspath(given.pop("project", self.project))
        wishes = {**self.wishes, **understood(given)}
        return Options(wishes=wishes, name=name, project=project)

    def beyond(self, others: Options) -> dict[str, Any]:
        """What these ask for and `others` say nothing of."""
        known = others._said()
        return {name: wish for name, wish in self._said().items() if name not in known}

    def _said(self) -> dict[str, Any]:
        named = {"name": self.name, "project": self.project}
        return {**self.wishes, **{name: text for name, text in named.items() if text}}


def ship(calls: Sequence[Bound], options: Options) -> Run:
    """Pack the project of what is called, start the calls, and return at once.

    Raises:
        SendoffError: as `sendoff.ship`; FunctionRefused, ArgumentUnpicklable
        TypeError: a function does not take such arguments.
    """
    if not calls:
        raise FunctionRefused("nothing", "there are no inputs", "give it one at least")
    function = calls[0].function
    session = _session(function, options)
    session.settings.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="calls-", dir=session.settings.cache) as folder:
        order = Planner(session.project, Path(folder)).plan(calls, options.name)
        _check_version(order, session.settings, function)
        _, record = prepare(session, order, _progress())
        return sent(record, session)


class Planner:
    """What is sent off for calls of functions of one project."""

    def __init__(self, project: Path, folder: Path) -> None:
        """`folder` is where files of arguments and functions are made."""
        self._project, self._folder = project, folder
        self._heads: dict[int, _Head] = {}

    def plan(self, calls: Sequence[Bound], name: str = "") -> Order:
        """An index for each call.

        Raises:
            FunctionRefused, ArgumentUnpicklable, TypeError
        """
        setups, sources = [], {}
        for bound in calls:
            head = self._head(bound.function)
            spelled = head.speller.spell(bound)
            given = (*head.sources, *spelled.sources)
            sources.update({source.data.sha256: source for source in given})
            setups.append(
                SetUp(
                    parameters=spelled.parameters if len(calls) > 1 else {},
                    command=(*head.words, *spelled.words),
                    data=tuple(source.data for source in given),
                )
            )
        name = name or name_of(calls[0].function)
        return Order(setups=tuple(setups), name=name, sources=tuple(sources.values()))

    def _head(self, function: Callable[..., Any]) -> _Head:
        if id(function) not in self._heads:
            spelling = spell(function, self._project)
            word, sources = self._word(spelling)
            paths = (f"--path={spelling.path}",) if spelling.path else ()
            speller = Speller(function, self._folder, whole=spelling.whole)
            self._heads[id(function)] = _Head((*MODULE, *paths, word), sources, speller)
        return self._heads[id(function)]

    def _word(self, spelling: Spelling) -> tuple[str, tuple[Source, ...]]:
        """The function's word, and its file where it has one."""
        if spelling.word:
            return spelling.word, ()
        name = f"function-{hashlib.sha256(spelling.pickle).hexdigest()[:12]}.pkl"
        path = self._folder / name
        path.write_bytes(spelling.pickle)
        source = given(path, f"{FOLDER}/{name}")
        return f"@{source.data.path}", (source,)


class _Head(NamedTuple):
    """What all calls of a function have in common."""

    words: tuple[str, ...]
    sources: tuple[Source, ...]
    speller: Speller


def _session(function: Callable[..., Any], options: Options) -> Session:
    project = Path(options.project) if options.project else _project(function)
    session = Session.open(project, options.wishes)
    if session.settings.python:
        return session
    # A function is of the interpreter that has it, whatever other is active in some shell.
    return Session.open(project, {**options.wishes, "python": sys.executable})


def _project(function: Callable[..., Any]) -> Path:
    here = Path.cwd()
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    file = getattr(module, "__file__", None)
    if file is None:
        return here
    path = Path(file).resolve()
    if path.is_relative_to(here) or module is None or module.__name__ != "__main__":
        return here
    marked = (each for each in path.parents if any((each / mark).exists() for mark in _MARKS))
    return next(marked, path.parent)


def _check_version(order: Order, settings: Settings, function: Callable[..., Any]) -> None:
    """Refuse a pickle that the sandbox's Python does not understand; before anything is packed.

    Raises:
        FunctionRefused
        PythonNotFound, PythonMismatch: as packing would.
    """
    if not any(source.data.path.endswith(".pkl") for source in order.sources):
        return
    from packer.environment import interpreter

    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    python = interpreter.find(settings.python or None)
    there = interpreter.describe(python, settings.cache).minor
    if here != there:
        raise FunctionRefused(
            name_of(function),
            f"it, or an argument, goes as a pickle of Python {here}; the run has Python {there}",
            "define it in a module of the project and pass plain values, "
            f"or use Python {there} here",
        )


def _progress() -> Progress:
    if not is_terminal(sys.stderr):
        return SILENT
    from sendoff.terminal.narration import Narrator

    return Narrator(Console())
