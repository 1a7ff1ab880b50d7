"""Whether a base comes out the same when it is built again, and what differs where it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from packer.bases import comparison
from packer.bases.build import Workshop, bake, image_of, laid
from packer.bases.comparison import Comparison
from packer.bases.plan import Target
from packer.digest import Digest
from packer.images.layout import Layout
from packer.progress import SILENT, Progress
from packer.record import Record

Known = Callable[[Target, Digest], tuple[Layout, Digest]]
"""Where the image is that a target is compared with; it need not be there in full where its digest
is the second argument."""


class Verified(Record, frozen=True):
    """One base that was built again."""

    title: str
    comparison: Comparison


def verify(
    workshop: Workshop,
    targets: Sequence[Target],
    known: dict[str, Known],
    progress: Progress = SILENT,
) -> tuple[Verified, ...]:
    """Build `targets` anew, whatever the builder remembers, and compare those in `known` (by id).

    Raises:
        As `build.bake`; BlobMissing, BlobAltered, LayoutDamaged, and what `known` raises.
    """
    found = []
    with workshop.builder.workplace("the bases") as work:
        bake(replace(workshop, fresh=True), targets, work, progress)
        for target in targets:
            if target.id in known:
                again = laid(work, target)
                digest = image_of(again, target)
                first = known[target.id](target, digest)
                compared = comparison.compare(first, (again, digest))
                found.append(Verified(title=target.title, comparison=compared))
    return tuple(found)
