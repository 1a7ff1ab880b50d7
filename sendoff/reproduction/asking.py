"""What is asked about images, and the report that answers it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from packer.progress import SILENT, Progress
from sendoff import reference
from sendoff.errors import Misuse
from sendoff.reproduction import judgement
from sendoff.reproduction.original import Original
from sendoff.reproduction.report import LEVELS, LevelName, Report
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.images.shelf import Shelf
    from sendoff.handle import Run

RTOL = 0.01
"""The tolerance of L3 where none is given."""


class Asking:
    """Which level, of what; and since when."""

    def __init__(
        self, reference: str, level: LevelName | None = None, rtol: float | None = None
    ) -> None:
        """Raises Misuse: there is no such level, or no such tolerance."""
        if level is not None and level not in LEVELS:
            raise Misuse(f"there is no level {level!r}", fix=f"there are: {', '.join(LEVELS)}")
        if rtol is not None and not rtol >= 0:
            raise Misuse(f"{rtol} is no tolerance", fix="give a fraction such as --rtol 0.01")
        self.reference = reference
        self.level: LevelName = level or ("L2" if rtol is None else "L3")
        self.rtol = RTOL if rtol is None else rtol
        self._began = time.monotonic()

    def rebuilt(
        self,
        originals: Sequence[Original],
        session: Session,
        shelf: Shelf,
        progress: Progress = SILENT,
    ) -> Report:
        """What packing each image again has shown. Nothing is run."""
        from sendoff.reproduction import rebuilding

        images = {each.image.digest: each.image for each in originals}
        found = dict(
            zip(
                images,
                rebuilding.rebuild(tuple(images.values()), session, shelf, progress),
                strict=True,
            )
        )
        reports = [
            judgement.of_rebuild(self._bare(each), found[each.image.digest]) for each in originals
        ]
        return self._timed(judgement.together(reports))

    def report(self, originals: Sequence[Original], run: Run) -> Report:
        """What the run `run`, which has ended, has shown of each.

        Raises:
            Misuse: that run is no repetition of these.
        """
        from dispatcher import referral

        record, asked = run.record, run.record.request.inputs
        if [one.command for one in asked] != [each.request.inputs[0].command for each in originals]:
            raise Misuse(
                f"run {run.id} does not repeat {self.reference}",
                "its commands are others",
                f"sendoff diff {self.reference} {run.id}",
            )
        reports = []
        for number, (each, one) in enumerate(zip(originals, asked, strict=True)):
            bare = replace(self._bare(each), run=reference.index_name(record, number))
            ended = referral.of_index(record, number, run.places)
            request = replace(record.request, inputs=(one,))
            reports.append(judgement.of_run(bare, each, request, ended))
        return self._timed(judgement.together(reports))

    def _bare(self, original: Original) -> Report:
        """A report that says what was asked for, and nothing of what was found."""
        return Report(
            reference=self.reference,
            digest=original.image.digest,
            command=original.image.command,
            asked=self.level,
            levels=(),
            earlier=original.run,
            rtol=self.rtol,
        )

    def _timed(self, report: Report) -> Report:
        return replace(report, seconds=round(time.monotonic() - self._began, 3))
