"""What an image was packed from, written into a folder."""

from __future__ import annotations

from pathlib import Path

from dispatcher.referral import Referral
from packer.progress import SILENT, Progress
from packer.reproduction import export as packer_export
from packer.reproduction import recorded
from packer.reproduction.export import Exported
from packer.wheels.wheelhouse import Wheelhouse
from sendoff import reference, shelves
from sendoff.errors import Misuse
from sendoff.reproduction import original
from sendoff.reproduction.rebuilding import base_name


def export(
    name: str, folder: Path | None = None, *, project: Path, progress: Progress = SILENT
) -> Exported:
    """Write what the run or digest `name` was packed from into `folder`, or one called after it.

    Raises:
        FolderTaken, LockMissing, DigestUnknown, DigestAmbiguous, NoRunImage, RunUnknown, Misuse
        SendoffError: what the registry raises.
    """
    session, inner = shelves.opened(name, project)
    shelf = shelves.reading(session)
    if shelves.means_image(name):
        digest = recorded.resolve(inner, shelf)
        told = [
            each.run for each in original.each_referral(digest, shelf) if isinstance(each, Referral)
        ]
        stem = f"sendoff-{digest.hex[:12]}"
    else:
        found = reference.find(inner, session.runs())
        digests = {found.run.request.inputs[index].digest for index in found.indexes}
        if len(digests) > 1:
            raise Misuse(
                f"run {found.run.id} has {len(digests)} images",
                "one is exported at a time",
                f"name one: {found.run.id}/0",
            )
        told = [found.run]
        digest, stem = digests.pop(), inner.replace("/", "-").removeprefix("@")
    image = recorded.read(digest, shelf)
    return packer_export.export(
        image,
        shelf,
        folder or Path(stem),
        base=base_name(image, session, told),
        house=Wheelhouse(root=session.settings.cache / "wheels"),
        progress=progress,
    )
