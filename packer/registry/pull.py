"""Reading a base image: its name once, what its digest names never again."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from packer import disk
from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing
from packer.images import base
from packer.images.base import Base
from packer.images.descriptor import CONFIG, Descriptor
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.registry.answer import Answer
from packer.registry.client import Client, Manifest
from packer.registry.errors import AnswerUnreadable, BaseUnknown, DigestGone, PlatformMissing
from packer.registry.push_request import BaseLayer
from packer.registry.reference import Reference, Repository

_LAYERS = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": (
        "application/vnd.oci.image.layer.v1.tar+gzip"
    ),
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
}
"""What docker called them before OCI did; the bytes are the same."""


def for_push(base: Base) -> tuple[BaseLayer, ...]:
    """Its layers, as a push of an image above it needs to know them."""
    source = Repository.parse(base.repository)
    return tuple(
        BaseLayer(
            layer=Descriptor(digest=one.digest, size=one.size, media_type=one.media_type),
            source=source,
        )
        for one in base.layers
    )


def kept(cache: Path) -> Path:
    """The layout below `cache` with the manifests and configs that were read."""
    return cache / "registry" / "bases"


class Pull:
    """Reads base images from one repository; manifests and configs stay below `cache`."""

    def __init__(self, client: Client, cache: Path) -> None:
        self._client = client
        self._cache = Layout(kept(cache))
        self._names = cache / "registry" / "names"

    def base(self, reference: Reference, platform: str) -> Base:
        """The image that `reference` names now, for `platform` ("linux/amd64").

        A reference by digest that was read before needs no network.

        Raises:
            BaseUnknown, PlatformMissing, AnswerAltered, AnswerUnreadable
            BaseUnusable: it does not say where its Python is.
            DiskFull, and as `Client`.
        """
        return self._base(self._find(reference), reference, platform)

    def remembered(self, reference: Reference, platform: str) -> Base | None:
        """The image that `reference` named when it was looked up last; None where that is unknown.

        Nobody is asked whether it is so still. Raises: as `base`.
        """
        found = reference.digest or self._recall(reference)
        return self._base(found, reference, platform) if found else None

    def _base(self, top: Digest, reference: Reference, platform: str) -> Base:
        content = self._content(top, reference)
        if "manifests" in content:
            chosen = _choose(content["manifests"], str(reference), platform)
            top, content = chosen, self._content(chosen, reference)
        config = self._config(content, reference)
        found = _platform(config)
        if not _fits(found, platform):
            raise PlatformMissing(str(reference), platform, (found,))
        found_layers = layers(content, config)
        settings = config.get("config") or {}
        return base.of(str(reference.repository), top, platform, found_layers, settings)

    def _find(self, reference: Reference) -> Digest:
        if reference.digest:
            return reference.digest
        found = self._client.find_manifest(reference.tag)
        if not found:
            raise BaseUnknown(str(reference.repository), reference.tag)
        if found != self._recall(reference):
            disk.replace(self._name(reference), found.encode())
        return found

    def _recall(self, reference: Reference) -> Digest | None:
        try:
            return Digest(self._name(reference).read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _name(self, reference: Reference) -> Path:
        return self._names / sha256(str(reference).encode()).hexdigest()[:32]

    def _content(self, digest: Digest, reference: Reference) -> dict[str, Any]:
        data = self._cached(digest)
        if data is None:
            data = self._manifest(digest).data
            self._cache.write(data)
        return self._object(data, reference)

    def _manifest(self, digest: Digest) -> Manifest:
        try:
            return self._client.manifest(digest)
        except DigestGone as error:
            raise BaseUnknown(error.repository, error.target, error.said) from error

    def _config(self, manifest: dict[str, Any], reference: Reference) -> dict[str, Any]:
        try:
            named = manifest["config"]
            digest = Digest(named["digest"])
            blob = Descriptor(digest=digest, size=int(named["size"]), media_type=CONFIG)
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerUnreadable(
                str(reference), f"its manifest has no config: {error}"
            ) from error
        data = self._cached(digest)
        if data is None:
            data = b"".join(self._client.blob(blob))
            self._cache.write(data)
        return self._object(data, reference)

    def _cached(self, digest: Digest) -> bytes | None:
        try:
            return self._cache.read(digest)
        except BlobMissing:
            return None
        except BlobAltered:
            self._cache.path(digest).unlink(missing_ok=True)
            return None

    def _object(self, data: bytes, reference: Reference) -> dict[str, Any]:
        content = Answer("GET", str(reference), 200, {}, data).json()
        if not isinstance(content, dict):
            raise AnswerUnreadable(str(reference), "its manifest or config is no JSON object")
        return content


def _choose(manifests: list[dict[str, Any]], name: str, platform: str) -> Digest:
    """The first manifest of an index for a platform."""
    listed = [(_platform(each.get("platform") or {}), each) for each in manifests]
    for found, each in listed:
        if _fits(found, platform):
            return Digest(each["digest"])
    raise PlatformMissing(
        name, platform, tuple(found for found, _ in listed if "unknown" not in found)
    )


def _platform(holder: dict[str, Any]) -> str:
    """The platform that a config or an index's entry names: "linux/arm64/v8"."""
    parts = (holder.get("os"), holder.get("architecture"), holder.get("variant"))
    return "/".join(str(part) for part in parts if part)


def _fits(found: str, wanted: str) -> bool:
    """Whether an image serves a platform; a variant that is not asked for may be any."""
    return found == wanted or found.startswith(wanted + "/")


def layers(manifest: dict[str, Any], config: dict[str, Any]) -> tuple[Layer, ...]:
    """An image's layers, the lowest first.

    Raises:
        AnswerUnreadable: manifest and config disagree.
    """
    try:
        diff_ids = config["rootfs"]["diff_ids"]
        return tuple(
            Layer(
                digest=Digest(each["digest"]),
                diff_id=Digest(diff_id),
                size=int(each["size"]),
                media_type=_LAYERS.get(each["mediaType"], each["mediaType"]),
            )
            for each, diff_id in zip(manifest["layers"], diff_ids, strict=True)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise AnswerUnreadable("the image", f"layers and config disagree: {error}") from error
