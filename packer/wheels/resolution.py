"""New distributions and all that they need, for a platform that need not be this one's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

from packer import process
from packer.process import ProgramFailed
from packer.record import Record
from packer.wheels import candidates
from packer.wheels.candidates import Candidate, Question


class Wanted(Record, frozen=True):
    """What is looked for."""

    requirements: tuple[str, ...]
    excluded: tuple[str, ...]
    """Names that are there already, and are not looked at."""
    platform: str
    """uv's word for it: "x86_64-manylinux_2_28"."""
    minor: str
    """Of Python: "3.11"."""
    index: str = ""
    """An index besides those of the question."""
    alone: bool = False
    """Without what the requirements need in their turn."""


class Resolution(Record, frozen=True):
    """What there is."""

    wheels: dict[str, tuple[Candidate, ...]] = {}
    """Name → the wheels of the version that was chosen."""
    unsolved: str = ""
    """uv's words where there is no such set of versions."""
    unreachable: str = ""
    """Why no index answered."""


def resolve(question: Question, wanted: Wanted) -> Resolution:
    """The wheels of a set of versions that fits `wanted`."""
    if not wanted.requirements:
        return Resolution()
    try:
        return Resolution(wheels=candidates.parse(_compile(question, wanted)))
    except ProgramFailed as error:
        if candidates.UNSOLVED in error.output:
            return Resolution(unsolved=candidates.without_logins(error.output.strip()))
        return Resolution(unreachable=candidates.reason(error.output))


def _compile(question: Question, wanted: Wanted) -> bytes:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "-", "--format", "pylock.toml", "--quiet"]
    command += ["--no-header", "--no-annotate", "--only-binary", ":all:"]
    command += ["--python", question.python, "--python-version", wanted.minor]
    command += ["--python-platform", wanted.platform]
    # A build is told by its version, so that it does no harm to look everywhere.
    command += ["--index-strategy", "unsafe-best-match"]
    command += ["--no-deps"] * wanted.alone + ["--no-index"] * question.sources.no_index
    variables = {"UV_HTTP_RETRIES": "1", "NO_COLOR": "1", **question.sources.variables}
    if wanted.index:
        others = variables.get("UV_INDEX") or os.environ.get("UV_INDEX", "")
        variables["UV_INDEX"] = f"{wanted.index} {others}".strip()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excluded:
        excluded.write("\n".join(wanted.excluded))
        excluded.flush()
        command += ["--excludes", excluded.name]
        stdin = "".join(f"{each}\n" for each in wanted.requirements).encode()
        return process.run(command, stdin=stdin, env=variables, cwd=question.project)


def blamed(output: str, requirements: Sequence[str]) -> list[str]:
    """The requirements ("torch==2.5.1+cu124") that uv names as not to be had."""
    text = " ".join(output.split())
    return [
        each
        for each in requirements
        if f"no version of {each}" in text or f"{each} has no wheels" in text
    ]
