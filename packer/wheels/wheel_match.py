"""Whether a wheel is what was installed: judged by tags and proved by RECORD."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packer import image_paths
from packer.environment.distribution import INSTALLERS_OWN, Recorded
from packer.environment.environment import Installed
from packer.environment.installed_files import is_bytecode
from packer.environment.programs import unplaced
from packer.environment.target import Target
from packer.wheels import wheel_tags
from packer.wheels.candidates import Candidate


def identity(installed: Installed) -> str:
    """Names the content that the distribution's installer recorded, on any machine."""
    found = installed.distribution
    facts = [found.name, found.version]
    for path, sha256 in sorted(installed.recorded.items()):
        # Programs hold the path of the environment they were installed into.
        if not is_installers(path) and not path.startswith("bin/"):
            facts += [path, sha256]
    return hashlib.sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()


def is_installers(path: str) -> bool:
    """Whether a file of a metadata directory tells of the installation, not of the content."""
    folder, _, name = path.rpartition("/")
    return name in INSTALLERS_OWN and folder.endswith((".dist-info", ".egg-info"))


def ordered(offered: Sequence[Candidate], installed: Installed, target: Target) -> list[Candidate]:
    """Those that run on the target: first the one with the installed wheel's tags, then by rank."""
    mine = {tag.lower() for tag in installed.distribution.tags}
    fitting = wheel_tags.ranked(offered, target.tags)
    return sorted(fitting, key=lambda each: wheel_tags.of(each.filename) != mine)


def is_too_new(installed: Installed, target: Target) -> bool:
    """Whether the installed wheel asks for a newer glibc than the target is known to have."""
    return 0 < target.glibc < wheel_tags.glibc(installed.distribution.tags)


def wanting(offered: Iterable[Candidate], target: Target) -> int:
    """N of the oldest glibc 2.N with which a wheel would run that only wants a newer one; or 0."""
    if not target.glibc:
        return 0
    return min((each for one in offered if (each := _wanting(one, target))), default=0)


def _wanting(candidate: Candidate, target: Target) -> int:
    tags = wheel_tags.of(candidate.filename)
    here = {re.sub(r"manylinux_2_\d+_", f"manylinux_2_{target.glibc}_", tag) for tag in tags}
    found = wheel_tags.glibc(tags)
    return found if found > target.glibc and here & set(target.tags) else 0


def agrees(installed: Installed, listed: Iterable[Recorded], packages: str) -> bool:
    """Whether the wheel with this RECORD is what was installed."""
    expected = dict(_placed(installed, listed, packages))
    for path, sha256 in expected.items():
        actual = installed.recorded.get(path)
        if actual is None or (sha256 != actual and not _is_rewritten(installed, path, sha256)):
            return False
    extra = installed.recorded.keys() - expected.keys()
    return all(is_installers(path) or path.startswith("bin/") for path in extra)


def modules(
    installed: Installed, listed: Iterable[Recorded], packages: str
) -> dict[str, tuple[str, str]]:
    """Python modules that were installed: path → sha256 there, and in the wheel with this RECORD.

    The latter is empty where the wheel has no such file. What was compiled twice need not be alike;
    Python's sources are as a rule.
    """
    held = dict(_placed(installed, listed, packages))
    return {
        path: (sha256, held.get(path, ""))
        for path, sha256 in installed.recorded.items()
        if sha256 and path.endswith(".py") and not path.startswith("bin/")
    }


def _placed(
    installed: Installed, listed: Iterable[Recorded], packages: str
) -> Iterator[tuple[str, str]]:
    """Where installing puts each file of a wheel, and its sha256."""
    minor = packages.split("/")[1].removeprefix("python")
    schemes = {
        "purelib": packages + "/",
        "platlib": packages + "/",
        "scripts": "bin/",
        "data": "",
        "headers": image_paths.headers(minor, installed.distribution.name) + "/",
    }
    for entry in listed:
        top, _, rest = entry.path.partition("/")
        if top.endswith(".data"):
            scheme, _, rest = rest.partition("/")
            if scheme in schemes:
                yield schemes[scheme] + rest, entry.sha256
        elif not is_installers(f"{packages}/{entry.path}") and not is_bytecode(entry.path):
            yield f"{packages}/{entry.path}", entry.sha256


def _is_rewritten(installed: Installed, path: str, sha256: str) -> bool:
    """Whether a program of the wheel had nothing but its `#!python` line changed."""
    if not path.startswith("bin/"):
        return False
    source = next((file.source for file in installed.files if file.path == path), None)
    if source is None:
        # Deleted since: that it was rewritten can be neither shown nor excluded.
        return True
    return hashlib.sha256(unplaced(Path(source).read_bytes())).hexdigest() == sha256
