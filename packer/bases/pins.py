"""Looks up what the catalogue pins and rewrites the pins: `python -m packer.bases.pins`.

Roots go by what their tags stand for now, packages by the archive of a moment, uv and NVIDIA's
compiler by the package index or by that archive, Pythons of uv by what that uv knows; a release of
Debian keeps the version of its own. Comments and everything else of the files stay as they are.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from packer import disk, process
from packer.bases import catalogue as catalogues
from packer.bases.catalogue import FILE, Catalogue
from packer.bases.errors import CatalogueMalformed
from packer.bases.packages import stanzas
from packer.errors import SendoffError
from packer.registry.access import Access
from packer.registry.reference import Reference
from packer.registry.registry import Registry

_NEXT = re.compile(r"^\s*\[", re.MULTILINE)
_REQUIREMENT = re.compile(r"^([a-z0-9-]+)==[0-9a-z.]+ ", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_PACKAGE = re.compile(r"^(pool/([^/]+)/.*/([^/_]+)_[^/]*\.deb) ([0-9a-f]{64}) (\S+)$", re.MULTILINE)
ARCHIVE = "https://snapshot.debian.org/archive/debian"
"""Debian's archive at each moment."""


def rewritten(text: str, section: str, key: str, value: str) -> str:
    """A catalogue's text with another value for `key` in `[section]`, whose line stays where it is.

    Raises:
        KeyError: there is no such section or key.
    """
    heading = re.search(rf"^\[{re.escape(section)}\][^\n]*\n", text, re.MULTILINE)
    if not heading:
        raise KeyError(section)
    following = _NEXT.search(text, heading.end())
    end = following.start() if following else len(text)
    body = text[heading.end() : end]
    line = re.compile(rf'^({re.escape(key)}\s*=\s*)"[^"\n]*"', re.MULTILINE)
    changed, count = line.subn(lambda found: f'{found[1]}"{value}"', body, count=1)
    if not count:
        raise KeyError(f"{section}.{key}")
    return text[: heading.end()] + changed + text[end:]


def line_of(cuda: str) -> str:
    """What versions of a CUDA line match, as requirements say it: "13.0" → "==13.0.*"."""
    return f"=={cuda}.*"


def requirements(text: str, cuda: str, compile_: Callable[[str], str]) -> str:
    """A file of pinned wheels with the newest of its CUDA line; what is not a pin stays.

    `compile_` gives for requirements what `uv pip compile --generate-hashes` does.
    """
    names = _REQUIREMENT.findall(text)
    found = compile_("".join(f"{name}{line_of(cuda)}\n" for name in names))
    joined = found.replace("\\\n", " ")
    pins = {
        each.partition("==")[0]: " ".join(each.split())
        for each in joined.splitlines()
        if "==" in each and not each.startswith("#")
    }
    return "".join(
        f"{pins[pinned[1]]}\n" if (pinned := _REQUIREMENT.match(line)) else f"{line}\n"
        for line in text.splitlines()
    )


def package(text: str, cuda: str, index_of: Callable[[str], bytes]) -> str:
    """A file that pins a package of Debian with the one of its CUDA line that an archive has.

    The pin is a line of path, sha256 and release; all else stays, and the pin too where the archive
    has none of the line. `index_of` gives an index's bytes (Packages.xz) by its path there.
    """

    def newest(pinned: re.Match[str]) -> str:
        _, component, name, _, release = pinned.groups()
        packed = index_of(f"dists/{release}/{component}/binary-amd64/Packages.xz")
        for fields in stanzas(lzma.decompress(packed).decode()):
            of_line = fields.get("Version", "").startswith(f"{cuda}.")
            if fields.get("Package") == name and of_line:
                return f"{fields['Filename']} {fields['SHA256']} {release}"
        return pinned[0]

    return _PACKAGE.sub(newest, text)


class Lookups(NamedTuple):
    """Who tells what is newest."""

    digest_of: Callable[[str], str]
    """Of an image's name."""
    uv: Callable[[], str]
    python: Callable[[str, str], str]
    """The version of a minor that a version of uv installs; empty where it knows none."""


def updates(catalogue: Catalogue, moment: str, lookups: Lookups) -> Iterator[tuple[str, str, str]]:
    """What is to be written into the catalogue: section, key, value."""
    for name, root in catalogue.roots.items():
        yield f"roots.{name}", "digest", lookups.digest_of(root.image)
        if root.snapshot:
            yield f"roots.{name}", "snapshot", moment
    for minor, python in catalogue.pythons.items():
        if python.uv:
            section, uv = f'pythons."{minor}"', lookups.uv()
            yield section, "uv", uv
            yield section, "version", lookups.python(minor, uv) or python.version


def update(
    folder: Path, moment: str, access: Access, cache: Path, archive: str = ""
) -> tuple[str, ...]:
    """Rewrite the pins below `folder`; what changed, for people.

    `archive`: a mirror of Debian, instead of the archive at `moment`.

    Raises:
        CatalogueMalformed, ProgramFailed (uv), WheelUnavailable (the archive), and what
        `packer.registry` raises. Nothing is written then.
    """
    catalogue = catalogues.load(folder)

    def digest_of(image: str) -> str:
        reference = Reference.parse(image)
        return Registry(reference.repository, access, cache).manifest(reference.target).digest

    path = folder / FILE
    texts = {path: path.read_text("utf-8")}
    for change in updates(catalogue, moment, Lookups(digest_of, _newest_uv, _newest_python)):
        try:
            texts[path] = rewritten(texts[path], *change)
        except KeyError as missing:
            problem = 'it is written in another way than [NAME] and KEY = "VALUE"'
            raise CatalogueMalformed(str(path), missing.args[0], problem) from missing
    catalogues.parse(texts[path], str(path))
    for entry in catalogue.bases.values():
        toolkit, compiler = (
            folder / entry.folder / f"{what}-{entry.cuda}.txt" for what in ("toolkit", "compiler")
        )
        if entry.cuda and toolkit.is_file():
            texts[toolkit] = requirements(toolkit.read_text("utf-8"), entry.cuda, _compile)
        if entry.cuda and compiler.is_file():
            index_of = _index_of(archive or f"{ARCHIVE}/{moment}")
            texts[compiler] = package(compiler.read_text("utf-8"), entry.cuda, index_of)
    changed = [(each, text) for each, text in texts.items() if each.read_text("utf-8") != text]
    told = tuple(line for each, text in changed for line in _differences(each, text))
    for each, text in changed:
        disk.replace(each, text.encode())
    return told


def _differences(path: Path, text: str) -> Iterator[str]:
    """The new lines, without hashes."""
    old = set(path.read_text("utf-8").splitlines())
    for line in text.splitlines():
        if line not in old:
            yield f"{path.name}: {_HASH.sub('', line).strip()}"


def _index_of(archive: str) -> Callable[[str], bytes]:
    from packer.wheels.index_sources import IndexSources
    from packer.wheels.transport import Transport

    def index(path: str) -> bytes:
        pieces: list[bytes] = []
        Transport(IndexSources()).read(f"{archive}/{path}", pieces.append)
        return b"".join(pieces)

    return index


def _newest_uv() -> str:
    found = re.search(r"^uv==([0-9.]+)", _compile("uv\n"), re.MULTILINE)
    return found[1] if found else ""


def _newest_python(minor: str, uv: str) -> str:
    from uv import find_uv_bin

    # What uv installs is a part of itself: no server is asked for it.
    command = [find_uv_bin(), "tool", "run", "--quiet", "--no-config", "--from", f"uv=={uv}"]
    command += ["uv", "python", "list", minor, "--only-downloads", "--output-format", "json"]
    found = json.loads(process.run([*command, "--no-config"], env={"NO_COLOR": "1"}))
    kind = ("cpython", "default")
    return next(
        (one["version"] for one in found if (one["implementation"], one["variant"]) == kind), ""
    )


def _compile(wanted: str) -> str:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-deps", "--no-header"]
    command += ["--no-annotate", "--generate-hashes", "--only-binary", ":all:", "--no-config"]
    command += ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"]
    return process.run(command, stdin=wanted.encode(), env={"NO_COLOR": "1"}).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    from tempfile import TemporaryDirectory

    parser = argparse.ArgumentParser(prog="python -m packer.bases.pins", description=__doc__)
    parser.add_argument("--catalogue", type=Path, default=catalogues.home(), metavar="DIR")
    today = datetime.now(UTC).strftime("%Y%m%dT000000Z")
    parser.add_argument("--snapshot", default=today, metavar="TIME", help=f"default: {today}")
    mirror = "a mirror of Debian to look in, where the archive of that time is out of reach"
    parser.add_argument("--archive", default="", metavar="URL", help=mirror)
    asked = parser.parse_args(arguments)
    try:
        with TemporaryDirectory() as cache:
            changed = update(asked.catalogue, asked.snapshot, Access(), Path(cache), asked.archive)
    except SendoffError as error:
        lines = (error.what(), error.why(), error.evidence(), error.fix())
        sys.stderr.write("".join(f"{line}\n" for line in lines if line))
        return error.exit_code
    sys.stdout.write("".join(f"{line}\n" for line in changed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
