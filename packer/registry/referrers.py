"""Attaching documents to images, and finding them again (distribution-spec, "Referrers").

The image's own manifest stays as it is. A registry that keeps the list itself says so by a header
of its answer; for any other the list is an index under a tag, which we extend.
"""

from __future__ import annotations

from collections.abc import Sequence

from packer.digest import Digest
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.registry import artifact as artifacts
from packer.registry.answer import Answer
from packer.registry.artifact import EMPTY, EMPTY_TYPE, Artifact, Referrer
from packer.registry.client import NOT_FOUND, OK, BlobUnknown, Client, Manifest
from packer.registry.content import BytesContent
from packer.registry.errors import AnswerUnreadable, ReferrersContended
from packer.registry.upload import Upload

_ROUNDS = 8
"""How often the tag is written where others write it too."""


def attach(client: Client, subject: Digest, documents: Sequence[Artifact]) -> tuple[Referrer, ...]:
    """Have each of `documents` refer to the image `subject`, which is there.

    One that was attached before is attached once all the same. Manifests come last: what is
    interrupted leaves nothing that is listed and cannot be read.

    Raises:
        DigestGone: the image is not there.
        ReferrersContended: others write the list of a registry without the API, again and again.
        As `Client`.
    """
    found = client.manifest(subject)
    described = Descriptor(digest=subject, size=len(found.data), media_type=found.media_type)
    return tuple(_attach(client, described, each) for each in documents)


def find(client: Client, subject: Digest, kind: str = "") -> tuple[Referrer, ...]:
    """What refers to an image, all or those of one artifact type; none where there is no image.

    Raises:
        AnswerUnreadable; and as `Client`.
    """
    query = {"artifactType": kind} if kind else {}
    found: list[Referrer] = []
    for answer in client.pages(client.at(f"referrers/{subject}", **query), "the referrers"):
        if answer.status == NOT_FOUND:
            found = list(_parse(client, _tagged(client, subject)))
            break
        if answer.status != OK:
            raise client.refused(answer, f"list what refers to {subject.short}")
        found += _parse(client, answer)
    # A registry need not filter, and says whether it did.
    return tuple(each for each in found if kind in ("", each.kind))


def read(client: Client, referrer: Referrer) -> bytes:
    """The document of a referrer.

    Raises:
        DigestGone, AnswerAltered, AnswerUnreadable; and as `Client`.
    """
    stored = client.manifest(referrer.manifest.digest)
    content = Answer("GET", str(client.repository), OK, {}, stored.data).json()
    try:
        layer = content["layers"][0]
        blob = Descriptor(
            digest=Digest(layer["digest"]), size=int(layer["size"]), media_type=layer["mediaType"]
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        what = f"{referrer.manifest.digest} is no artifact: {error}"
        raise AnswerUnreadable(str(client.repository), what) from error
    return b"".join(client.blob(blob))


def _attach(client: Client, subject: Descriptor, document: Artifact) -> Referrer:
    for data, media_type in ((EMPTY, EMPTY_TYPE), (document.data, document.kind)):
        content = BytesContent(data, media_type)
        if not client.has_blob(content.blob.digest):
            Upload(client, content, lambda _: None).run()
    data = artifacts.manifest(document, subject)
    new = artifacts.referrer(document, data)
    try:
        answer = client.put_manifest(
            new.manifest.digest, Manifest(new.manifest.digest, MANIFEST, data)
        )
    except BlobUnknown as error:
        raise client.refused(error.answer, f"attach {document.kind}") from error
    if not answer.headers.get("OCI-Subject"):
        _list(client, subject.digest, new)
    return new


def _list(client: Client, subject: Digest, new: Referrer) -> None:
    """Have the tag's index name `new`. Writers overwrite each other, so each looks afterwards."""
    tag = artifacts.tag(subject)
    for _ in range(_ROUNDS):
        answer = _tagged(client, subject)
        if new in _parse(client, answer):
            return
        index = None if answer.status == NOT_FOUND else answer.json()
        data = artifacts.extended(index, new)
        try:
            client.put_manifest(tag, Manifest(Digest.of(data), INDEX, data))
        except BlobUnknown as error:
            # Something that was listed is gone, which only a new list can say.
            raise client.refused(error.answer, f"store the list {tag}") from error
    if new not in _parse(client, _tagged(client, subject)):
        raise ReferrersContended(str(client.repository), tag)


def _tagged(client: Client, subject: Digest) -> Answer:
    """The list of a registry without the API, which may not exist yet."""
    return client.ask_manifest(artifacts.tag(subject))


def _parse(client: Client, answer: Answer) -> tuple[Referrer, ...]:
    if answer.status == NOT_FOUND:
        return ()
    if answer.status != OK:
        raise client.refused(answer, "list what refers to an image")
    try:
        return artifacts.listed(answer.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"a list of referrers that is none: {error}"
        raise AnswerUnreadable(str(client.repository), what) from error
