"""What is to be reproduced: an image, the request it ran by, and what came of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dispatcher import referral
from dispatcher.errors import RecordUnreadable
from dispatcher.referral import Ended, Referral
from dispatcher.request import Data, Input, Request, Resources
from packer.digest import Digest
from packer.errors import SendoffError
from packer.images.image import NO_BASE
from packer.record import Record
from packer.reproduction import recorded
from packer.reproduction.errors import NoRunImage
from packer.reproduction.recorded import RecordedImage
from sendoff import reference, shelves
from sendoff.errors import Misuse
from sendoff.reference import Reference
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.images.shelf import Shelf
    from packer.registry.artifact import Referrer


class Original(Record, frozen=True):
    """One index of one run, or an image that never ran."""

    image: RecordedImage
    request: Request
    """With this image's input only."""
    run: str = ""
    """The earlier run; empty where none is known."""
    created: str = ""
    ended: Ended | None = None
    """What came of it; None where that is not known."""


def find(name: str, session: Session, shelf: Shelf, *, but: str = "") -> tuple[Original, ...]:
    """What `name` means: a digest, a few digits of one, or a run or an index of it.

    One for each index. Of an image the newest run that succeeded counts, else the newest; `but`
    names one that does not, because it is what is to be compared.

    Raises:
        DigestUnknown, DigestAmbiguous, NoRunImage, RecordNewer, RecordUnreadable
        RunUnknown, RunAmbiguous, IndexUnknown
        Misuse: a run that was named has not ended.
    """
    if shelves.means_image(name):
        image = recorded.read(recorded.resolve(name, shelf), shelf)
        return _of_image(image, session, shelf, but)
    return _of_run(reference.find(name, session.runs()), session, shelf)


def one(name: str, session: Session, shelf: Shelf) -> Original:
    """The one index that `name` means; of an image, the first that came of it.

    Raises:
        Misuse: a run was named, and has several indexes.
        As `find`.
    """
    found = find(name, session, shelf)
    if len(found) > 1 and not shelves.means_image(name):
        run = found[0].run.partition("/")[0]
        raise Misuse(
            f"run {run} has {len(found)} indexes",
            "one is asked for at a time",
            f"name one: {run}/0",
        )
    return found[0]


def each_referral(digest: Digest, shelf: Shelf) -> Iterator[Referral | RecordUnreadable]:
    """What an image was told of its runs, the newest first; or why that can't be read.

    Raises:
        As `Shelf`.
    """
    for each in _newest_first(shelf.referrers(digest, referral.KIND)):
        try:
            yield _read(each, shelf)
        except RecordUnreadable as error:
            yield error


def _of_image(
    image: RecordedImage, session: Session, shelf: Shelf, but: str
) -> tuple[Original, ...]:
    if not image.command:
        raise NoRunImage(
            image.digest,
            shelf.place,
            "an image that was packed without a command",
            "pack it with one: sendoff pack -- python train.py",
        )
    problem: SendoffError | None = None
    for each in _best_first(shelf.referrers(image.digest, referral.KIND)):
        if but and each.annotations.get(referral.RUN) == but:
            continue
        try:
            told = _read(each, shelf)
        except RecordUnreadable as error:
            problem = problem or error
            continue
        return _chosen(image, told)
    if problem:
        raise problem
    return (Original(image=image, request=_request_of(image, session)),)


def _chosen(image: RecordedImage, told: Referral) -> tuple[Original, ...]:
    """The run's indexes with this image that succeeded; all of them where none did."""
    pairs = list(zip(told.indexes, told.run.request.inputs, strict=True))
    good = [pair for pair in pairs if pair[0].manifest and pair[0].manifest.state == "succeeded"]
    several = len(pairs) > 1
    return tuple(
        Original(
            image=image,
            request=replace(told.run.request, inputs=(one,)),
            run=f"{told.run.id}/{ended.index}" if several else told.run.id,
            created=told.run.created,
            ended=ended,
        )
        for ended, one in good or pairs
    )


def _of_run(found: Reference, session: Session, shelf: Shelf) -> tuple[Original, ...]:
    from dispatcher import dispatch

    run = found.run
    status = dispatch.status(run.id, session.places)
    if not all(status.indexes[index].final for index in found.indexes):
        raise Misuse(
            f"run {run.id} has not ended",
            "there is nothing to compare with",
            f"sendoff wait {run.id}",
        )
    read = functools.cache(lambda digest: recorded.read(digest, shelf))
    return tuple(
        Original(
            image=read(run.request.inputs[index].digest),
            request=replace(run.request, inputs=(run.request.inputs[index],)),
            run=reference.index_name(run, index),
            created=run.created,
            ended=referral.of_index(run, index, session.places),
        )
        for index in found.indexes
    )


def _read(referrer: Referrer, shelf: Shelf) -> Referral:
    named = referrer.annotations.get(referral.RUN, referrer.manifest.digest)
    return referral.read(shelf.document(referrer), f"the record of {named}")


def _newest_first(found: Sequence[Referrer]) -> list[Referrer]:
    def created(each: Referrer) -> str:
        return each.annotations.get(referral.CREATED, "")

    return sorted(found, key=created, reverse=True)


def _best_first(found: Sequence[Referrer]) -> list[Referrer]:
    def failed(each: Referrer) -> bool:
        return each.annotations.get(referral.STATE) != "succeeded"

    return sorted(_newest_first(found), key=failed)


def _request_of(image: RecordedImage, session: Session) -> Request:
    """What was asked for, as the image itself tells it."""
    told = image.request
    target = session.settings.target
    if image.base == NO_BASE:
        target = "local"
    elif target == "local":
        raise Misuse(
            f"{image.digest.short} has an operating system of its own, and never ran",
            "the local target runs images without one",
            "say where to: --target kubernetes",
        )
    return Request(
        inputs=(
            Input(
                command=image.command,
                digest=image.digest,
                parameters=told.get("parameters") or {},
            ),
        ),
        repository=session.settings.registry,
        target=target,
        resources=Resources(
            gpu=told.get("gpu") or "",
            cpus=told.get("cpus") or 0,
            memory=told.get("memory") or 0,
        ),
        timeout=told.get("timeout") or 0,
        outputs=tuple(told.get("outputs") or ()),
        secrets=tuple(told.get("secrets") or ()),
        deterministic=bool(told.get("deterministic")),
        data=tuple(Data(**each) for each in told.get("data") or ()),
    )
