"""`python -m sendoff.call [--path=FOLDER]… FUNCTION [WORD…]`: call it, keep what it returns.

FUNCTION is `module:name`, `script.py:name`, or `@file.pkl`. A WORD is a value in JSON, `@file` for
one that was written by `values`, `name=` before either for one that is passed by name, or `**`
before a dict of such. What comes of it is written to `$SENDOFF_CALL_DIR`: `result.*` (see
`values`), or `error.json` and, where it can be pickled, `error.pkl`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from . import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

RESULT, ERROR = "result", "error"
FORMAT = "sendoff.error/1"
_MOST = 1 << 16
"""Letters that are kept of a message or a repr."""


class Call:
    """One call as it is spelled on a command line."""

    def __init__(self, arguments: list[str]) -> None:
        self.paths: list[str] = []
        rest = list(arguments)
        while rest and rest[0].startswith("--path="):
            self.paths.append(rest.pop(0).removeprefix("--path="))
        if not rest:
            raise SystemExit(__doc__)
        self.function, *self.words = rest

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """What is passed by place, and what by name."""
        placed: list[Any] = []
        named: dict[str, Any] = {}
        for word in self.words:
            name, equals, text = word.partition("=")
            if word.startswith("**"):
                named.update(_value(word[2:]))
            elif equals and name.isidentifier():
                named[name] = _value(text)
            else:
                placed.append(_value(word))
        return placed, named


class Loaded:
    """The function of a call, or why it can't be had."""

    def __init__(self, spelled: str) -> None:
        self.spelled = spelled
        self.error: BaseException | None = None
        self.function: Callable[..., Any] = self._none
        try:
            self.function = load(spelled)
        except Exception as error:  # noqa: BLE001 (whatever a module raises is the call's end)
            self.error = error

    def _none(self, *_: Any, **__: Any) -> Any:
        if self.error:
            raise self.error


def main(arguments: list[str]) -> int:
    """The exit status: 0, or 1 where the function raised."""
    call = Call(arguments)
    _folder()
    for path in reversed(call.paths):
        sys.path.insert(0, os.path.abspath(path))
    line = os.environ.pop("SENDOFF_CALLS", "")
    if not line:
        return run(call, Loaded(call.function))
    from . import forks

    forks.seeds.watch()
    loaded = Loaded(call.function)
    told = forks.serve(int(line), offered=loaded.error is None)
    if told is not None:
        call = Call(told)
        if call.function != loaded.spelled:
            loaded = Loaded(call.function)
        forks.end(run(call, loaded))
    return run(call, loaded)


def run(call: Call, loaded: Loaded) -> int:
    """Call the function and write down what came of it."""
    folder = _folder()
    try:
        placed, named = call.arguments()
        value = loaded.function(*placed, **named)
        if type(value).__name__ == "coroutine":
            import asyncio

            value = asyncio.run(value)
    except Exception as error:  # noqa: BLE001 (it goes back to whoever called)
        return _failed(error, folder)
    try:
        values.write(value, f"{folder}/{RESULT}")
    except Exception as error:  # noqa: BLE001 (whatever pickling raises)
        return _unkept(value, error, folder)
    return 0


def _folder() -> str:
    """Where to write what comes of it. That it is there tells the runner that this is a call."""
    folder = os.environ.get("SENDOFF_CALL_DIR") or os.getcwd()
    os.makedirs(folder, exist_ok=True)
    return folder


def load(spelled: str) -> Callable[..., Any]:
    """The function that a command line spells so.

    Raises:
        Exception: whatever its module raises; it is not there, or no function.
    """
    if spelled.startswith("@"):
        with open(spelled[1:], "rb") as stream:
            found: Any = values.unpickle(stream)
        return _plain(found)
    home, _, name = spelled.rpartition(":")
    found = _script(home) if home.endswith(".py") else importlib.import_module(home)
    for part in name.split("."):
        found = getattr(found, part)
    return _plain(found)


def _script(path: str) -> Any:
    """A script as a module, which is __main__ too: that is what its classes are pickled as."""
    import importlib.util

    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("__mp_main__", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no script of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules["__mp_main__"] = sys.modules["__main__"] = module
    spec.loader.exec_module(module)
    return module


def _plain(function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError(f"{function!r} is no function")
    called: Callable[..., Any] = function
    return called


def _value(text: str) -> Any:
    return values.read(text[1:]) if text.startswith("@") else json.loads(text)


def _failed(error: Exception, folder: str) -> int:
    _strip(error)
    _tell(error, folder, {"message": _text(str, error), "repr": _text(repr, error)})
    try:
        data = values.pickled(error)
        values.unpickle(__import__("io").BytesIO(data))
    except Exception:  # noqa: BLE001 (many exceptions can't be made again from their arguments)
        return 1
    with open(f"{folder}/{ERROR}.pkl", "wb") as stream:
        stream.write(data)
    return 1


def _unkept(value: Any, error: Exception, folder: str) -> int:
    about = {
        "message": _text(str, error),
        "repr": _text(repr, error),
        "result": {"type": _name(type(value)), "repr": _text(repr, value)},
    }
    _tell(error, folder, about)
    return 1


def _tell(error: BaseException, folder: str, about: dict[str, Any]) -> None:
    import traceback

    text = "".join(traceback.format_exception(error))
    sys.stdout.flush()
    sys.stderr.write(text)
    record = {"format": FORMAT, "type": _name(type(error)), **about, "traceback": text[-_MOST:]}
    with open(f"{folder}/{ERROR}.json", "w", encoding="ascii") as stream:
        json.dump(record, stream)


def _strip(error: BaseException) -> None:
    """Leave our own frames out of the traceback."""
    own = (__file__, values.__file__)
    frame: TracebackType | None = error.__traceback__
    while frame and frame.tb_next and frame.tb_frame.f_code.co_filename in own:
        frame = frame.tb_next
    error.__traceback__ = frame


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(show: Callable[[Any], str], value: Any) -> str:
    try:
        return show(value)[:_MOST]
    except Exception as error:  # noqa: BLE001 (a repr may raise anything)
        return f"<{_name(type(value))}: its {show.__name__} raises {type(error).__name__}>"


if __name__ == "__main__":
    # `__main__` may become a script: what is called from here has to be of another module.
    sys.exit(importlib.import_module(f"{__package__}.call").main(sys.argv[1:]))
