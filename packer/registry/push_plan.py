"""What a push has to do: a pure function of what is pushed and what is known to be there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from packer.digest import Digest
from packer.images.descriptor import MANIFEST, Descriptor
from packer.record import Record

SMALL = 1 << 18
"""Bytes below which sending a blob costs no more than asking for it."""

LITTLE = 4 << 20
"""Bytes that may be missing in all and are sent without a question: what a change leaves to send
is new, and each question is a turn to wait for."""


class ImageParts(Record, frozen=True):
    """An image's manifest, and the blobs it needs: its config, then its layers."""

    manifest: Descriptor
    blobs: tuple[Descriptor, ...]


class PushPlan(Record, frozen=True):
    """The steps, in this order; those of one kind side by side."""

    lookups: tuple[ImageParts, ...] = ()
    """Images to look for first: where one is there, so are its blobs."""
    asked: tuple[Descriptor, ...] = ()
    """Blobs to look for, and to send where they are missing."""
    sent: tuple[Descriptor, ...] = ()
    """Blobs to send unseen: small or few, and most likely new."""
    manifests: tuple[ImageParts, ...] = ()
    """Images whose manifests are put in the end."""
    known: tuple[Descriptor, ...] = ()
    """Blobs that nobody asks for."""


def parts(digest: Digest, manifest: bytes) -> ImageParts:
    """What the manifest's bytes say.

    Raises:
        ValueError, KeyError, TypeError: they are no image manifest.
    """
    content = json.loads(manifest)
    described = (content["config"], *content["layers"])
    return ImageParts(
        # Not every tool says what it is (OCI image-spec, manifest.md: the property is optional).
        manifest=Descriptor(
            digest=digest, size=len(manifest), media_type=content.get("mediaType", MANIFEST)
        ),
        blobs=tuple(
            Descriptor(
                digest=Digest(each["digest"]), size=each["size"], media_type=each["mediaType"]
            )
            for each in described
        ),
    )


def plan(
    images: Sequence[ImageParts], environment: ImageParts | None, known: Collection[str]
) -> PushPlan:
    """How to get run images and their environment image there, given what is `known` to be.

    The environment image is not looked for while it is known. A run image is: its digest is what
    the push promises.
    """
    wanted = list(images)
    if environment and environment.manifest.digest not in known:
        wanted.insert(0, environment)
    blobs = _distinct(blob for image in wanted for blob in image.blobs)
    unknown = [blob for blob in blobs if blob.digest not in known]
    little = sum(blob.size for blob in unknown) <= LITTLE
    asked = [blob for blob in unknown if blob.size >= SMALL and not little]
    return PushPlan(
        lookups=_lookups(wanted, unknown, asked),
        asked=tuple(asked),
        sent=tuple(blob for blob in unknown if blob.size < SMALL or little),
        manifests=tuple({image.manifest.digest: image for image in wanted}.values()),
        known=tuple(blob for blob in blobs if blob.digest in known),
    )


def after_lookups(planned: PushPlan, found: Collection[Digest]) -> PushPlan:
    """What is left of it when these manifests were found."""
    there = {
        blob.digest
        for image in planned.lookups
        if image.manifest.digest in found
        for blob in image.blobs
    }
    every = (*planned.asked, *planned.sent)
    return PushPlan(
        asked=tuple(blob for blob in planned.asked if blob.digest not in there),
        sent=tuple(blob for blob in planned.sent if blob.digest not in there),
        manifests=tuple(one for one in planned.manifests if one.manifest.digest not in found),
        known=(*planned.known, *(blob for blob in every if blob.digest in there)),
    )


def _lookups(
    wanted: Sequence[ImageParts], unknown: Sequence[Descriptor], asked: Sequence[Descriptor]
) -> tuple[ImageParts, ...]:
    """Images all of whose blobs are known; and, where blobs are to be asked for, the smallest and
    the largest image that need them.
    """
    missing = {blob.digest for blob in unknown}
    large = {blob.digest for blob in asked}
    complete = [one for one in wanted if not missing & {blob.digest for blob in one.blobs}]
    needing = [one for one in wanted if large & {blob.digest for blob in one.blobs}]
    needing.sort(key=lambda one: len(one.blobs))
    chosen = [*complete, *needing[:1], *needing[-1:]]
    return tuple({one.manifest.digest: one for one in chosen}.values())


def _distinct(blobs: Iterable[Descriptor]) -> list[Descriptor]:
    return list({blob.digest: blob for blob in blobs}.values())
