"""All about a run image: what it runs, what it was packed from, and every run of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dispatcher.errors import RecordUnreadable
from dispatcher.referral import Referral
from packer.images.shelf import Shelf
from packer.reproduction import recorded
from packer.reproduction.recorded import RecordedImage
from sendoff import shelves
from sendoff.quantities import show_duration
from sendoff.reproduction import original
from sendoff.terminal.console import Console, visible


def show(name: str, console: Console) -> int:
    """Tell of the image that `name` means; return the exit code.

    Raises:
        DigestUnknown, DigestAmbiguous, NoRunImage, RecordNewer; and as `Shelf`.
    """
    session, digest = shelves.opened(name, Path())
    shelf = shelves.reading(session)
    image = recorded.read(recorded.resolve(digest, shelf), shelf)
    told = _told(image, shelf, console)
    if console.machine:
        console.document(document(image, told))
        return 0
    for line in lines(image):
        console.result(line)
    console.result("")
    if told:
        console.table(*_table(told))
    else:
        console.result("no run of it is known here")
    return 0


def document(image: RecordedImage, told: Sequence[Referral]) -> dict[str, Any]:
    """The machine's form."""
    return {
        "digest": image.digest,
        "place": image.place,
        "command": image.command,
        "variables": image.variables,
        "request": image.request,
        "platform": image.platform,
        "labels": dict(image.labels),
        "runs": [msgspec.to_builtins(each, enc_hook=str) for each in told],
    }


def lines(image: RecordedImage) -> Iterator[str]:
    """The description for people."""
    yield f"digest       {image.digest}"
    yield f"in           {image.place}"
    yield f"command      {visible(shlex.join(image.command)) or 'none'}"
    for label, value in (
        ("gpu", image.request.get("gpu", "")),
        ("outputs", " ".join(image.request.get("outputs") or ())),
        ("inputs", " ".join(each["path"] for each in image.request.get("data") or ())),
        ("python", image.labels.get("python", "")),
        ("base", image.base),
        ("environment", image.labels["environment"]),
        ("lock", image.labels["lock"]),
        ("snapshot", image.labels["snapshot"]),
    ):
        if value:
            yield f"{label:<12} {value}"


def _told(image: RecordedImage, shelf: Shelf, console: Console) -> list[Referral]:
    """What can be read; what can't be is told of, and only alone it is an error."""
    found: list[Referral] = []
    problem: RecordUnreadable | None = None
    for each in original.each_referral(image.digest, shelf):
        if isinstance(each, RecordUnreadable):
            problem = each
            console.say(f"warning: {each}", "yellow")
        else:
            found.append(each)
    if problem and not found:
        raise problem
    return found


def _table(told: Sequence[Referral]) -> tuple[list[str], list[list[str]]]:
    rows = []
    for each in told:
        for ended in each.indexes:
            manifest = ended.manifest
            several = len(each.indexes) > 1
            gpus = (manifest.hardware.get("gpus") or ()) if manifest else ()
            rows.append(
                [
                    f"{each.run.id}/{ended.index}" if several else each.run.id,
                    each.run.created,
                    manifest.state if manifest else "-",
                    show_duration(manifest.usage.wall) if manifest else "-",
                    ", ".join(dict.fromkeys(str(gpu.get("name", "GPU")) for gpu in gpus)) or "-",
                    str(manifest.hardware.get("host", "-")) if manifest else "-",
                    ended.results.short,
                ]
            )
    return ["run", "created", "state", "time", "gpu", "host", "results"], rows
