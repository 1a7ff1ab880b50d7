"""An error as the user sees it: four lines at most, or one JSON document."""

from __future__ import annotations

import sys
from typing import Any

from packer.errors import SendoffError
from sendoff.console import Console, paint

_EVIDENCE_LINE = 400


def lines(error: SendoffError) -> list[str]:
    """What failed, why, the evidence, and what fixes it; each one line, left out where empty.

    Of evidence with several lines the last one counts: programs end with what went wrong.
    """
    evidence = error.evidence().strip().splitlines()
    parts = (
        ("error: ", error.what()),
        ("  why: ", error.why()),
        ("  saw: ", evidence[-1][:_EVIDENCE_LINE] if evidence else ""),
        ("  fix: ", error.fix()),
    )
    return [label + " ".join(text.split()) for label, text in parts if text]


def report(error: SendoffError, *, machine: bool) -> int:
    """Tell the user, and return the exit code.

    The lines go to standard error always; with `machine` the JSON document is the result.
    """
    if machine:
        Console().document(error.as_dict())
    for line in lines(error):
        label, rest = line[:7], line[7:]
        print(paint(label, "red" if label == "error: " else "faint", sys.stderr) + rest, file=sys.stderr)
    return error.exit_code


def from_click(error: Any) -> SendoffError:
    """A click error in our form: a command line that means nothing, with the nearest that does."""
    from sendoff.errors import Misuse

    context = getattr(error, "ctx", None)
    path = context.command_path if context else "sendoff"
    near = next(iter(getattr(error, "possibilities", None) or ()), "")
    message = (error.format_message() if not near else error.message).rstrip(".")
    message = message[:1].lower() + message[1:]
    remedy = f"{path} --help"
    return Misuse(f"{path}: {message}", fix=f"did you mean {near}? {remedy}" if near else remedy)
