"""One layer's files, installed from wheels by the base's own Python. Imports nothing of ours but
what lies beside it: `scripts.py` and `bytecode_worker.py`, which the build puts there.

    python layer_installer.py LAYER OUT

`LAYER` has `plan.json` and what it names: `wheels/<filename>` and `files/<sha256>`. `OUT` becomes
the root of the layer. The native builder makes the same tree out of the same plan, without
unpacking anything; a test compares the two.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bytecode_worker  # type: ignore[import-not-found]
import scripts  # type: ignore[import-not-found]

_NOT_OURS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_INSTALLER = b"sendoff\n"


class Wheel:
    """A wheel, unpacked by the rules of the binary distribution format."""

    def __init__(self, path: Path, name: str, minor: str) -> None:
        self._archive = zipfile.ZipFile(path)
        self._site = f"lib/python{minor}/site-packages"
        tops = (name.partition("/")[0] for name in self._archive.namelist() if "/" in name)
        self._info = next(top for top in tops if top.endswith(".dist-info"))
        self._schemes = {
            "purelib": self._site,
            "platlib": self._site,
            "headers": f"include/site/python{minor}/{name}",
            "data": "",
        }

    def files(self, removed: frozenset[str]) -> dict[str, tuple[bytes, bool]]:
        """Path below the prefix → content, and whether it is a program."""
        found = {path: (data, program) for path, data, program in self._members()}
        for name, data in scripts.launchers(self._text("entry_points.txt")).items():
            found[f"bin/{name}"] = data, True
        info = f"{self._site}/{self._info}"
        found[f"{info}/INSTALLER"] = _INSTALLER, False
        found = {path: file for path, file in found.items() if path not in removed}
        found[f"{info}/RECORD"] = self._record(found, f"{info}/RECORD"), False
        return found

    def _members(self) -> Iterator[tuple[str, bytes, bool]]:
        for member in self._archive.infolist():
            if member.is_dir() or self._left_out(member.filename):
                continue
            data = self._archive.read(member)
            executable = bool(member.external_attr >> 16 & 0o111)
            top, _, rest = member.filename.partition("/")
            scheme, _, below = rest.partition("/")
            if not top.endswith(".data"):
                yield f"{self._site}/{member.filename}", data, executable
            elif scheme == "scripts":
                yield f"bin/{below}", scripts.placed(data), True
            else:
                yield f"{self._schemes[scheme]}/{below}".lstrip("/"), data, executable

    def _left_out(self, name: str) -> bool:
        top, _, rest = name.partition("/")
        if top == self._info and rest in _NOT_OURS:
            return True
        return name.endswith(".pyc") and name.split("/")[-2:-1] == ["__pycache__"]

    def _text(self, name: str) -> str:
        try:
            return self._archive.read(f"{self._info}/{name}").decode("utf-8-sig")
        except KeyError:
            return ""

    def _record(self, files: dict[str, tuple[bytes, bool]], own: str) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        rows = [(path, _hash(data), len(data)) for path, (data, _) in files.items()]
        for path, digest, size in sorted([*rows, (own, "", "")]):
            writer.writerow((os.path.relpath(path, self._site), digest, size))
        return text.getvalue().encode("utf-8", "surrogateescape")


def tree(layer: Path, plan: dict[str, Any]) -> dict[str, tuple[bytes, bool]]:
    """All files of the layer; later ones lie over earlier ones."""
    removed = frozenset(plan["removed"])
    found: dict[str, tuple[bytes, bool]] = {}
    for each in plan["wheels"]:
        wheel = Wheel(layer / "wheels" / each["filename"], each["name"], plan["minor"])
        found |= wheel.files(removed)
    for each in plan["files"]:
        data = (layer / "files" / each["sha256"]).read_bytes()
        found[os.fsdecode(base64.b64decode(each["path"]))] = data, each["executable"]
    return found


def compiled(
    files: dict[str, tuple[bytes, bool]], plan: dict[str, Any]
) -> Iterator[tuple[str, bytes]]:
    """The bytecode of all sources in site-packages but those of test suites."""
    site = f"lib/python{plan['minor']}/site-packages/"
    for path, (data, _) in files.items():
        if path.startswith(site) and path.endswith(".py") and "/tests/" not in path:
            pyc = bytecode_worker.compiled(f"{plan['prefix']}/{path}", data)
            if pyc is not None:
                folder, _, name = path.rpartition("/")
                stem = name.removesuffix(".py")
                yield f"{folder}/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc", pyc


def install(layer: Path, out: Path) -> None:
    """Write the layer's files below `out`."""
    plan = json.loads((layer / "plan.json").read_bytes())
    os.umask(0o022)
    files = tree(layer, plan)
    files |= {path: (pyc, False) for path, pyc in compiled(files, plan)}
    for path, (data, executable) in files.items():
        place = out / plan["prefix"].lstrip("/") / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if executable else 0o644)


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return "sha256=" + digest.decode().rstrip("=")


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]))
