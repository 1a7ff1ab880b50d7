"""What refers to an image: artifacts, and the lists of them that a registry holds. Pure.

image-spec, manifest.md, "Guidelines for Artifact Usage"; distribution-spec, "Listing Referrers" and
"Referrers Tag Schema".
"""

from __future__ import annotations

import json
from typing import Any

from packer.digest import Digest
from packer.images.descriptor import INDEX, MANIFEST, Descriptor
from packer.record import Record

EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"


class Artifact(Record, frozen=True):
    """A document about an image."""

    kind: str
    """Its artifact type, by which readers find it: "application/spdx+json"."""
    data: bytes
    name: str = ""
    """As a file would be called."""
    annotations: dict[str, str] = {}


class Referrer(Record, frozen=True):
    """A manifest that has an image as its subject, as lists of referrers name it."""

    manifest: Descriptor
    kind: str
    annotations: dict[str, str] = {}

    def as_oci(self) -> dict[str, Any]:
        """Its entry in an index."""
        entry = {**self.manifest.as_oci(), "artifactType": self.kind}
        return {**entry, "annotations": self.annotations} if self.annotations else entry


def manifest(artifact: Artifact, subject: Descriptor) -> bytes:
    """The manifest by which `artifact` refers to `subject`; canonical JSON without times."""
    config = Descriptor(digest=Digest.of(EMPTY), size=len(EMPTY), media_type=EMPTY_TYPE)
    layer: dict[str, Any] = Descriptor(
        digest=Digest.of(artifact.data), size=len(artifact.data), media_type=artifact.kind
    ).as_oci()
    if artifact.name:
        layer["annotations"] = {"org.opencontainers.image.title": artifact.name}
    content: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact.kind,
        "config": config.as_oci(),
        "layers": [layer],
        "subject": subject.as_oci(),
    }
    if artifact.annotations:
        content["annotations"] = artifact.annotations
    return _canonical(content)


def referrer(artifact: Artifact, data: bytes) -> Referrer:
    """How a list names the manifest `data` of `artifact`."""
    described = Descriptor(digest=Digest.of(data), size=len(data), media_type=MANIFEST)
    return Referrer(manifest=described, kind=artifact.kind, annotations=artifact.annotations)


def tag(subject: Digest) -> str:
    """The tag under which a registry without the API holds the list ("Referrers Tag Schema")."""
    return f"sha256-{subject.hex}"


def listed(index: Any) -> tuple[Referrer, ...]:
    """The referrers that an index names.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is no index.
    """
    return tuple(
        Referrer(
            manifest=Descriptor(
                digest=Digest(each["digest"]), size=int(each["size"]), media_type=each["mediaType"]
            ),
            kind=each.get("artifactType") or "",
            annotations=each.get("annotations") or {},
        )
        for each in index["manifests"]
    )


def extended(index: dict[str, Any] | None, new: Referrer) -> bytes:
    """An index that names `new` besides what `index` names, all of which stays as it is."""
    found = [] if index is None else list(index.get("manifests") or ())
    others = [each for each in found if each.get("digest") != new.manifest.digest]
    head = {"schemaVersion": 2, "mediaType": INDEX}
    return _canonical({**head, **(index or {}), "manifests": [*others, new.as_oci()]})


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
