"""An error as the user sees it: four lines at most, or one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from packer.errors import SendoffError
from sendoff.terminal.console import Colour, Console, paint

_EVIDENCE_LINE = 400
_PASSED_OVER = 5
_TRANSCRIPT = 10
"""Lines of what a program wrote that are told above an error."""


def lines(error: SendoffError) -> list[str]:
    """What failed, why, the evidence, and what fixes it; each one line, left out where empty.

    Of evidence with several lines the last one counts: programs end with what went wrong.
    """
    return [
        f"error: {' '.join(error.what().split())}",
        *labelled(error.why(), error.evidence(), error.fix()),
    ]


def labelled(why: str, evidence: str, fix: str) -> list[str]:
    """The lines below what failed."""
    seen = evidence.strip().splitlines()
    parts = (
        ("  why: ", why),
        ("  saw: ", seen[-1][:_EVIDENCE_LINE] if seen else ""),
        ("  fix: ", fix),
    )
    return [label + " ".join(text.split()) for label, text in parts if text]


def report(error: SendoffError, *, machine: bool) -> int:
    """Tell the user, and return the exit code.

    The lines go to standard error always; with `machine` the JSON document is the result.
    """
    if machine:
        Console().document(error.as_dict())
    for line in error.transcript().splitlines()[-_TRANSCRIPT:]:
        Console().say(f"  | {line}", "faint")
    for line in lines(error):
        label, rest = line[:7], line[7:]
        colour: Colour = "red" if label == "error: " else "faint"
        Console().say(paint(label, colour, sys.stderr) + rest)
    return error.exit_code


def passed_over(errors: Sequence[SendoffError], console: Console) -> None:
    """Warn of what was left out because of these; of many, of the first few and their number."""
    for error in errors[:_PASSED_OVER]:
        console.say(f"warning: {' '.join(str(error).split())}; passed over", "yellow")
    if len(errors) > _PASSED_OVER:
        console.say(f"warning: and {len(errors) - _PASSED_OVER:,} more like that", "yellow")


def _near(error: Any) -> str:
    """What there is that was most likely meant: letters are swapped more often than wrong."""
    possible = getattr(error, "possibilities", None) or ()
    swapped = sorted(getattr(error, "option_name", "") or getattr(error, "command_name", ""))
    return next((each for each in possible if sorted(each) == swapped), next(iter(possible), ""))


def from_click(error: Any) -> SendoffError:
    """A click error in our form: a command line that means nothing, with the nearest that does."""
    from sendoff.errors import Misuse

    context = getattr(error, "ctx", None)
    path = context.command_path if context else "sendoff"
    near = _near(error)
    message = (error.format_message() if not near else error.message).rstrip(".")
    message = message[:1].lower() + message[1:]
    remedy = f"{path} --help"
    return Misuse(f"{path}: {message}", fix=f"did you mean {near}? {remedy}" if near else remedy)
