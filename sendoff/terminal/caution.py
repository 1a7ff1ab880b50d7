"""Warnings of packing, where a person or an agent sees them, and not at every run again.

`cautions/<hash of the project's path>` below the state directory has the last that were said. It
may be deleted at any time.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from packer import disk
from packer.digest import Digest
from packer.environment.environment_report import EnvironmentReport
from packer.errors import DiskFull
from sendoff.session import Session
from sendoff.terminal.console import Console, visible

_SHOWN = 5
_AGAIN = 86_400.0
"""Seconds after which the same is said again."""


def say(report: EnvironmentReport, session: Session, console: Console) -> None:
    """Narrate the warnings of an environment: once a day while they stay the same.

    Those that come of an index being out of reach are said each time: with them, the same command
    gives another digest.
    """
    if not report.warnings or console.quiet:
        return
    if not _note(report.warnings, session) and not report.without_index:
        return
    for warning in report.warnings[:_SHOWN]:
        console.say(f"warning: {visible(warning)}", "yellow")
    left = len(report.warnings) - _SHOWN
    if left > 0:
        console.say(f"warning: and {left:,} more, see sendoff pack --explain", "yellow")


def _note(warnings: tuple[str, ...], session: Session) -> bool:
    """Whether they are other ones than the last, or those are a day old; now they are noted."""
    project = Digest.of(bytes(session.project))
    place = session.settings.state / "cautions" / project.hex[:16]
    text = "\0".join(warnings).encode(errors="surrogateescape")
    if _young(place) == text:
        return False
    # Who may not write is told each time.
    with suppress(OSError, DiskFull):
        place.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(place, text)
    return True


def _young(place: Path) -> bytes | None:
    """What was said last, within a day."""
    try:
        recent = time.time() < place.stat().st_mtime + _AGAIN
        return place.read_bytes() if recent else None
    except OSError:
        return None
