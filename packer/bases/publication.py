"""Having a base where others find it: the image, then what is known of it, and its name last."""

from __future__ import annotations

from collections.abc import Iterator

from packer.bases import provenance, sbom
from packer.bases.built import BuiltBase, BuiltBases
from packer.digest import Digest
from packer.images.descriptor import CONFIG, Descriptor
from packer.images.layout import Layout
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.registry.artifact import Artifact, Referrer
from packer.registry.push_plan import parts
from packer.registry.push_request import PushRequest
from packer.registry.registry import Registry


class PublishedBase(Record, frozen=True):
    """A base in a registry."""

    title: str
    reference: str
    """By digest."""
    sent: int
    """Bytes that went to the registry."""
    documents: tuple[Referrer, ...] = ()


def publish(
    built: BuiltBase, shelf: BuiltBases, registry: Registry, progress: Progress = SILENT
) -> PublishedBase:
    """Push a base to its repository, attach its documents, and then move its tag to it.

    What is interrupted leaves the tag where it was.

    Raises:
        RegistryAuth, RegistryReadOnly, RegistryUnreachable, PushInterrupted, ReferrersContended …
        BlobMissing, BlobAltered: the layout is not what it was.
    """
    request = PushRequest(layout=shelf.layout.root, images=(built.digest,))
    pushed = registry.push(request, progress)
    attached = registry.attach(built.digest, documents(built, shelf.layout))
    named = registry.push(_tagged(request, built), progress)
    return PublishedBase(
        title=built.title,
        reference=f"{registry.repository}@{built.digest}",
        sent=pushed.sent + named.sent,
        documents=attached,
    )


def documents(built: BuiltBase, layout: Layout) -> tuple[Artifact, ...]:
    """What is attached to a base.

    Raises:
        BlobMissing, BlobAltered
    """
    return (
        Artifact(kind=sbom.MEDIA_TYPE, data=layout.read(built.sbom), name="sbom.spdx.json"),
        Artifact(
            kind=provenance.MEDIA_TYPE,
            data=layout.read(built.provenance),
            name="provenance.json",
            annotations={provenance.PREDICATE_ANNOTATION: provenance.PREDICATE},
        ),
    )


def fetch(registry: Registry, digest: Digest, layout: Layout, progress: Progress = SILENT) -> None:
    """Have an image of a registry in a layout, so that it can be compared.

    Raises:
        DigestGone, AnswerAltered, AnswerUnreadable, DiskFull …
    """
    manifest = registry.manifest(digest)
    layout.write(manifest.data)
    blobs = [each for each in parts(digest, manifest.data).blobs if not layout.has(each.digest)]
    progress.start(f"reading {registry.repository}", sum(each.size for each in blobs))
    for blob in blobs:
        with layout.blob() as writer:
            for piece in _pieces(registry, blob, progress):
                writer.write(piece)
            writer.commit(blob.digest)
    progress.done()


def _pieces(registry: Registry, blob: Descriptor, progress: Progress) -> Iterator[bytes]:
    for piece in registry.blob(blob):
        progress.advance(len(piece) if blob.media_type != CONFIG else 0)
        yield piece


def _tagged(request: PushRequest, built: BuiltBase) -> PushRequest:
    from msgspec.structs import replace

    return replace(request, tags={built.python: built.digest})
