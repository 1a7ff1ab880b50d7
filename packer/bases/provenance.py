"""How a base came about: an in-toto statement with SLSA provenance, version 1. Pure."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from packer.bases.plan import PLATFORM, Target
from packer.digest import Digest
from packer.record import Record

MEDIA_TYPE = "application/vnd.in-toto+json"
PREDICATE = "https://slsa.dev/provenance/v1"
PREDICATE_ANNOTATION = "in-toto.io/predicate-type"

_BUILD_TYPE = "https://github.com/sendoff/sendoff/base-image/v1"
_BUILDER = "https://github.com/sendoff/sendoff"


class Circumstances(Record, frozen=True):
    """What happened, besides what was planned."""

    started: str
    """RFC 3339, UTC."""
    finished: str
    dockerfile: Digest
    """Of the folder that was built; see `of_folder`."""
    versions: dict[str, str] = {}
    """Of the programs that built it: "sendoff", "buildkit"."""
    materials: tuple[dict[str, Any], ...] = ()
    """What the builder itself says that it took: `{"uri": …, "digest": {…}}`."""


def statement(target: Target, digest: Digest, seen: Circumstances) -> bytes:
    """The statement about the image `digest`, that was built as `target`."""
    given = [
        _material(target.root),
        {"uri": f"base-images/{target.folder}", "digest": {"sha256": seen.dockerfile.hex}},
    ]
    if snapshot := target.arguments.get("SNAPSHOT"):
        given.append({"uri": f"http://snapshot.debian.org/archive/debian/{snapshot}/"})
    known = {each["uri"] for each in given}
    content = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": target.title, "digest": {"sha256": digest.hex}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {
                    "base": target.name,
                    "python": target.python,
                    "arguments": target.arguments,
                },
                "internalParameters": {"platform": PLATFORM},
                "resolvedDependencies": [
                    *given,
                    *(each for each in seen.materials if each.get("uri") not in known),
                ],
            },
            "runDetails": {
                "builder": {"id": _BUILDER, "version": seen.versions},
                "metadata": {"startedOn": seen.started, "finishedOn": seen.finished},
            },
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def of_folder(folder: Path) -> Digest:
    """What stands for the files that a base is built from: names and contents, sorted."""
    hashed = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        hashed.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return Digest.from_hex(hashed.hexdigest())


def _material(reference: str) -> dict[str, Any]:
    name, _, digest = reference.partition("@sha256:")
    return {"uri": f"docker-image://{name}", **({"digest": {"sha256": digest}} if digest else {})}
