"""Wheels that the indexes offer for given versions, as uv lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packer import process
from packer.environment.lock import WheelPin
from packer.process import ProgramFailed
from packer.record import Record
from packer.wheels.index_sources import IndexSources, without_login

UNSOLVED = "No solution found"
"""uv's words where an index answered and lacks something; other errors are of the way to it."""

_MAX_FAILURES = 12
"""Names taken out one by one before uv is asked about halves."""


class Candidate(Record, frozen=True):
    """One wheel of an index."""

    name: str
    version: str
    filename: str
    sha256: str
    size: int
    url: str
    """Without credentials; `file:` for one of a directory of links."""

    def pin(self) -> WheelPin:
        """The pin of it, as far as the index tells."""
        return WheelPin(
            name=self.name,
            version=self.version,
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
            url=self.url,
        )


class Offer(Record, frozen=True):
    """What the indexes have."""

    wheels: dict[str, tuple[Candidate, ...]] = {}
    """Name → its wheels for every platform."""
    unreachable: str = ""
    """Why no index answered, in uv's words; empty where one did."""


class Question(Record, frozen=True):
    """What uv is asked with."""

    python: str
    """The sandbox's interpreter."""
    project: Path
    """Where uv looks for its own settings."""
    sources: IndexSources


def ask(question: Question, pins: Sequence[tuple[str, str]]) -> Offer:
    """The wheels of each (name, version). A name without any is simply not in the answer."""
    if not pins:
        return Offer()
    if question.sources.no_index and "UV_FIND_LINKS" not in question.sources.variables:
        return Offer(unreachable="the index is switched off by pip's setting no-index")
    remaining, failures = list(pins), 0
    while remaining:
        try:
            return Offer(wheels=parse(_compile(question, remaining)))
        except ProgramFailed as error:
            if UNSOLVED not in error.output:
                return Offer(unreachable=reason(error.output))
            blamed = _blamed(error.output, remaining)
            failures += 1
            if not blamed or failures > _MAX_FAILURES:
                return _halves(question, remaining)
            remaining = [pin for pin in remaining if pin not in blamed]
    return Offer()


def resolve(
    question: Question, requirements: Sequence[str], minor: str, platform: str
) -> dict[str, tuple[Candidate, ...]]:
    """Wheels of everything that `requirements` (PEP 508) need on a target, by name.

    `platform` is uv's word for it: "x86_64-manylinux_2_28".

    Raises:
        ProgramFailed: there is no such set of wheels, or no index answers.
    """
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "-", "--format", "pylock.toml", "--quiet"]
    command += ["--no-header", "--no-annotate", "--only-binary", ":all:"]
    command += ["--python-version", minor, "--python-platform", platform]
    if question.sources.no_index:
        command.append("--no-index")
    variables = {"UV_HTTP_RETRIES": "1", "NO_COLOR": "1", **question.sources.variables}
    text = "".join(f"{each}\n" for each in requirements)
    return parse(process.run(command, stdin=text.encode(), env=variables, cwd=question.project))


def _halves(question: Question, pins: Sequence[tuple[str, str]]) -> Offer:
    """Without a name to blame: what can be had of each half."""
    if len(pins) == 1:
        return Offer()
    middle = len(pins) // 2
    first, second = ask(question, pins[:middle]), ask(question, pins[middle:])
    return Offer(
        wheels={**first.wheels, **second.wheels},
        unreachable=first.unreachable and second.unreachable,
    )


def _compile(question: Question, pins: Iterable[tuple[str, str]]) -> bytes:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "-", "--format", "pylock.toml", "--quiet"]
    command += ["--no-deps", "--no-header", "--no-annotate", "--universal"]
    command += ["--only-binary", ":all:", "--python", question.python]
    # Versions are exact and every wheel is compared with what is installed, so it does no harm
    # to take one from any index.
    command += ["--index-strategy", "unsafe-best-match"]
    if question.sources.no_index:
        command.append("--no-index")
    wanted = "".join(f"{name}=={version}\n" for name, version in pins)
    variables = {"UV_HTTP_RETRIES": "1", "NO_COLOR": "1", **question.sources.variables}
    return process.run(command, stdin=wanted.encode(), env=variables, cwd=question.project)


def _blamed(output: str, pins: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pins that uv names in its explanation."""
    text = output.lower()
    return [
        (name, version)
        for name, version in pins
        if re.search(rf"(?<![\w.-]){re.escape(name)}=={re.escape(version.lower())}", text)
    ]


def reason(output: str) -> str:
    """The line that says most: the last cause."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    causes = [line.removeprefix("cause:").strip() for line in lines if line.startswith("cause:")]
    return without_logins((causes or lines or ["no answer"])[-1])


def without_logins(text: str) -> str:
    """`text` with user and password taken out of every URL."""
    return re.sub(r"(?<=://)[^/\s@]+@", "", text)


def parse(text: bytes) -> dict[str, tuple[Candidate, ...]]:
    import tomllib

    packages = tomllib.loads(text.decode()).get("packages", [])
    return {package["name"]: tuple(_wheels(package)) for package in packages}


def _wheels(package: dict[str, Any]) -> Iterable[Candidate]:
    for wheel in package.get("wheels", ()):
        url = wheel.get("url") or Path(wheel["path"]).absolute().as_uri()
        sha256 = wheel.get("hashes", {}).get("sha256", "")
        # An index without hashes gives nothing to pin.
        if sha256:
            yield Candidate(
                name=package["name"],
                version=package.get("version", ""),
                filename=wheel.get("name") or unquote(urlsplit(url).path.rpartition("/")[2]),
                sha256=sha256,
                size=wheel.get("size", 0),
                url=without_login(url),
            )
