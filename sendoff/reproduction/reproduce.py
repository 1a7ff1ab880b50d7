"""`sendoff.reproduce`: run a digest again, and say in what it is what it was.

report = sendoff.reproduce("sha256:…")
report.holds, report.level, report.difference
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendoff import shelves
from sendoff.reproduction import original as originals
from sendoff.reproduction.asking import Asking
from sendoff.reproduction.repetition import settings_of, start
from sendoff.reproduction.report import LevelName, Report

if TYPE_CHECKING:
    import os


def reproduce(
    reference: str,
    level: LevelName | None = None,
    rtol: float | None = None,
    *,
    project: str | os.PathLike[str] = ".",
    **wishes: Any,
) -> Report:
    """Run an image again and say which level holds; with `level` L1 pack it again instead.

    `reference` is a digest, `REPOSITORY@sha256:…`, a run, or an index of one. Several indexes are
    run again as those of one run, and the report tells of each in `indexes`. Asked for is L2, or
    L3 where `rtol` is given, unless `level` says otherwise. `wishes` are as those of `ship`:
    another target, … What the outputs are is the report's matter, and no error; see
    `Report.failure`.

    Raises:
        DigestUnknown, DigestAmbiguous, NoRunImage, RecordNewer, RunUnknown, Misuse
        SendoffError: what the registry, the store and the target raise.
    """
    asked = Asking(reference, level, rtol)
    session, name = shelves.opened(reference, Path(project), wishes)
    shelf = shelves.reading(session)
    found = originals.find(name, session, shelf)
    if asked.level == "L1":
        return asked.rebuilt(found, session, shelf)
    run = start(found, session, settings_of(session, wishes))
    run.wait()
    return asked.report(found, run)
