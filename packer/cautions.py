"""What a person should know of an environment that is packed as it was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from packer.environment.environment_report import PYTHONPATH_STAYS
from packer.pack_request import PackRequest

if TYPE_CHECKING:
    from packer.environment.interpreter import Interpreter

_NO_STEPS = "apt and run of [tool.sendoff.image] were left out: this image has no base"
_PASSED_OVER = "{} was packed; {} is there but not active: activate it, or say --python {}"


def of(request: PackRequest, interpreter: Interpreter, known: Sequence[str]) -> tuple[str, ...]:
    """What is `known` of the environment, less what the request settles, and what that adds."""
    return tuple(_all(request, interpreter, known))


def _all(request: PackRequest, interpreter: Interpreter, known: Sequence[str]) -> Iterator[str]:
    given = bool(request.commands) and all(
        "PYTHONPATH" in each.environment for each in request.commands
    )
    yield from (each for each in known if not (given and each == PYTHONPATH_STAYS))
    if request.image.extends and not request.base:
        yield _NO_STEPS
    if not request.python:
        from packer.environment.interpreter import passed_over

        if own := passed_over(request.project, interpreter):
            yield _PASSED_OVER.format(interpreter.executable, own, own / "bin/python")
