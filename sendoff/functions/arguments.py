"""Arguments as words of a command: JSON where that is short and says all, else files beside it."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dispatcher.input_source import Source, given
from dispatcher.runner.site.sendoff import values
from packer.record import Record
from sendoff.functions.errors import ArgumentUnpicklable
from sendoff.functions.spelling import name_of

FOLDER = ".sendoff"
"""Below the working directory: where arguments lie that are no words."""
_LONGEST_WORD = 200
_LONGEST = 4_000
"""Letters of a word, and of all words of a call together."""
_SHOWN = 200


class Bound(Record, frozen=True):
    """One call: a function and its arguments, as they were given."""

    function: Callable[..., Any]
    placed: tuple[Any, ...]
    named: dict[str, Any] = {}


class Spelled(Record, frozen=True):
    """The same as words, with the files that they name and what people are shown."""

    words: tuple[str, ...]
    sources: tuple[Source, ...]
    parameters: dict[str, str]


class Speller:
    """Spells the arguments of many calls of one function; what they share is written once."""

    def __init__(self, function: Callable[..., Any], folder: Path, *, whole: bool) -> None:
        """`folder` is where files are made; `whole` as in `values.write`."""
        self._function, self._folder, self._whole = function, folder, whole
        self._written: dict[int, tuple[str, tuple[Source, ...]]] = {}
        self._kept: list[Any] = []
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self._signature = None
        self._names = _names(self._signature)

    def spell(self, bound: Bound) -> Spelled:
        """The words of one call.

        Raises:
            TypeError: the function does not take such arguments.
            ArgumentUnpicklable
        """
        if self._signature:
            self._signature.bind(*bound.placed, **bound.named)
        words: list[str] = []
        sources: dict[str, Source] = {}
        parameters: dict[str, str] = {}
        room = _LONGEST
        for prefix, name, value in self._each(bound):
            word, files = self._word(name, value, room)
            room -= len(word)
            words.append(prefix + word)
            sources.update((source.data.path, source) for source in files)
            parameters[name] = word
        return Spelled(words=tuple(words), sources=tuple(sources.values()), parameters=parameters)

    def _each(self, bound: Bound) -> list[tuple[str, str, Any]]:
        """What stands before the word, the argument's name, its value."""
        placed = [
            ("", self._names[place] if place < len(self._names) else str(place), value)
            for place, value in enumerate(bound.placed)
        ]
        plain = {name: value for name, value in bound.named.items() if name.isidentifier()}
        odd = {name: value for name, value in bound.named.items() if name not in plain}
        named = [(f"{name}=", name, value) for name, value in plain.items()]
        return [*placed, *named, *([("**", "others", odd)] if odd else [])]

    def _word(self, name: str, value: Any, room: int) -> tuple[str, tuple[Source, ...]]:
        text = _text(value)
        if text is not None and len(text) <= min(_LONGEST_WORD, room):
            return text, ()
        if id(value) not in self._written:
            # Held on to, so that nothing else gets its id.
            self._kept.append(value)
            self._written[id(value)] = self._write(name, value)
        return self._written[id(value)]

    def _write(self, name: str, value: Any) -> tuple[str, tuple[Source, ...]]:
        stem = self._folder / f"{len(self._kept)}-{name}"
        try:
            paths = [Path(path) for path in values.write(value, str(stem), whole=self._whole)]
        except Exception as error:
            raise ArgumentUnpicklable(
                name_of(self._function), name, _shown(value), f"{type(error).__name__}: {error}"
            ) from error
        # Names tell contents apart: many calls may have files of theirs in one place in turn.
        with paths[0].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
        target = f"{FOLDER}/{name}-{digest}"
        sources = [given(path, target + path.name.removeprefix(stem.name)) for path in paths]
        return f"@{sources[0].data.path}", tuple(sources)


def _names(signature: inspect.Signature | None) -> list[str]:
    """The names of what is passed by place."""
    if signature is None:
        return []
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in signature.parameters.values() if each.kind in placed]


def _text(value: Any) -> str | None:
    """The JSON of what is nothing but JSON."""
    if isinstance(value, (list, dict, str)) and len(value) > _LONGEST_WORD:
        return None
    try:
        plain = values.Plain(value)
        return None if plain.types else plain.text()
    except values.Opaque:
        return None


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 (a repr may raise anything)
        text = f"<its repr raises {type(error).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def bind_all(
    function: Callable[..., Any],
    inputs: Iterable[Iterable[Any]],
    shared: Mapping[str, Any] | None,
) -> tuple[Bound, ...]:
    """The calls of a map: each of `inputs` by place, and `shared` by name."""
    named = dict(shared or {})
    return tuple(Bound(function=function, placed=tuple(each), named=named) for each in inputs)
