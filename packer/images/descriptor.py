"""What names a blob: its media type, digest and size (OCI image-spec, descriptor.md)."""

from __future__ import annotations

from typing import Any

from packer.digest import Digest
from packer.record import Record

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Descriptor(Record, frozen=True):
    """Enough to fetch a blob and to know that it is the right one."""

    digest: Digest
    size: int
    """Bytes."""
    media_type: str

    def as_oci(self) -> dict[str, Any]:
        """The descriptor as manifests and indexes hold it."""
        return {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
