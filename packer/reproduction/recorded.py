"""A run image as it is read back: what it runs, and all that decided its digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from packer.digest import Digest
from packer.errors import BlobMissing, TagUnknown
from packer.images.base import PYTHON_LABEL
from packer.images.descriptor import Descriptor
from packer.images.image import LABEL, NO_BASE
from packer.images.shelf import Shelf
from packer.layers.layer import MEDIA_TYPE, Layer
from packer.record import Record
from packer.registry.errors import DigestGone
from packer.reproduction.errors import DigestAmbiguous, DigestUnknown, NoRunImage

_SHORTEST = 6
"""Digits of a digest that are enough to be looked for."""
_IN_TAGS = 12
_DIGEST = re.compile(r"sha256:[0-9a-f]{6,64}")
_NONE = (DigestGone, BlobMissing, TagUnknown)


class RecordedImage(Record, frozen=True, dict=True):
    """A manifest and config of sendoff's making. Everything is told by the digest alone."""

    digest: Digest
    place: str
    """Where it was read."""
    manifest: dict[str, Any]
    config: dict[str, Any]

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Ours, without what they begin with."""
        found: dict[str, str] = self._settings.get("Labels") or {}
        return {
            name.removeprefix(LABEL): text for name, text in found.items() if name.startswith(LABEL)
        }

    @property
    def command(self) -> tuple[str, ...]:
        """What it runs; empty where it was packed without."""
        return tuple(self._settings.get("Cmd") or ())

    @property
    def variables(self) -> dict[str, str]:
        """Every variable of the config."""
        pairs = (entry.partition("=") for entry in self._settings.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def request(self) -> dict[str, Any]:
        """What was asked for: gpu, cpus, memory, timeout, outputs, secrets, parameters, data."""
        try:
            told = json.loads(self.labels.get("request") or "{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def base(self) -> str:
        """Digest of the base image; `image.NO_BASE` where it has none."""
        return self.labels.get("base", NO_BASE)

    @property
    def platform(self) -> str:
        """OCI platform."""
        parts = (self.config.get(key) for key in ("os", "architecture", "variant"))
        return "/".join(str(part) for part in parts if part)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """All of them, the lowest first."""
        return layers_of(self.manifest, self.config)

    @property
    def _settings(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config.get("config") or {}
        return found


def layers_of(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Layer, ...]:
    """The layers of an image.

    Raises:
        KeyError, TypeError, ValueError: manifest and config disagree, or are none.
    """
    return tuple(
        Layer(
            digest=Digest(each["digest"]),
            diff_id=Digest(diff_id),
            size=int(each["size"]),
            media_type=each.get("mediaType", MEDIA_TYPE),
        )
        for each, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True)
    )


def is_digest(name: str) -> bool:
    """Whether a name means an image: `sha256:` and digits, six at least."""
    return _DIGEST.fullmatch(name) is not None


def resolve(name: str, shelf: Shelf) -> Digest:
    """The whole digest that a name stands for, of which a few digits may be left out.

    Raises:
        DigestUnknown, DigestAmbiguous; and as `Shelf`.
    """
    try:
        return Digest(name)
    except ValueError:
        digits = name.removeprefix("sha256:")
    if len(digits) < _SHORTEST:
        raise DigestUnknown(name, shelf.place)
    tags = (tag for tag in shelf.tags() if not tag.startswith(("sha256-", "layer-", "env-")))
    ends = digits[:_IN_TAGS]
    likely = [tag for tag in tags if tag.rpartition("-")[2].startswith(ends)]
    found = {shelf.manifest(tag).digest for tag in likely}
    matching = sorted(digest for digest in found if digest.hex.startswith(digits))
    if len(matching) > 1:
        raise DigestAmbiguous(name, matching)
    if not matching:
        raise DigestUnknown(name, shelf.place)
    return matching[0]


def read(digest: Digest, shelf: Shelf) -> RecordedImage:
    """The run image with this digest.

    Raises:
        DigestUnknown: nothing has it.
        NoRunImage: it is something else, and the error says what.
        As `Shelf`.
    """
    image = read_any(digest, shelf)
    labels = image.labels
    if "snapshot" not in labels or "lock" not in labels:
        raise NoRunImage(digest, shelf.place, *_kind(image))
    try:
        image.layers  # noqa: B018 (they are read and checked)
    except (KeyError, TypeError, ValueError) as error:
        raise NoRunImage(
            digest, shelf.place, f"an image whose manifest and config disagree: {error}"
        ) from error
    return image


def read_any(digest: Digest, shelf: Shelf) -> RecordedImage:
    """Whatever image has this digest.

    Raises:
        As `read`, where it is no image at all.
    """
    try:
        data = shelf.manifest(digest).data
    except _NONE as error:
        raise DigestUnknown(digest, shelf.place) from error
    content = _object(data)
    if content is None:
        raise NoRunImage(digest, shelf.place, "a blob: a layer, a config or a file of an image")
    if "manifests" in content:
        raise NoRunImage(digest, shelf.place, *_index(content))
    if "config" not in content or "layers" not in content:
        raise NoRunImage(digest, shelf.place, "a document, and no image's manifest")
    if kind := content.get("artifactType"):
        raise NoRunImage(digest, shelf.place, *_artifact(kind, content))
    config = _object(_config(content, shelf))
    if config is None or "rootfs" not in config:
        raise NoRunImage(digest, shelf.place, "an artifact whose config is no image's")
    return RecordedImage(digest=digest, place=shelf.place, manifest=content, config=config)


def _config(manifest: Mapping[str, Any], shelf: Shelf) -> bytes:
    try:
        named = manifest["config"]
        blob = Descriptor(
            digest=Digest(named["digest"]), size=int(named["size"]), media_type=named["mediaType"]
        )
    except (KeyError, TypeError, ValueError):
        return b""
    return b"".join(shelf.blob(blob))


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(data)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _index(content: Mapping[str, Any]) -> tuple[str, str]:
    platforms = [each.get("platform") or {} for each in content["manifests"]]
    named = ", ".join(f"{one['os']}/{one['architecture']}" for one in platforms if "os" in one)
    if not named:
        return f"an index of {len(platforms)} documents about an image", ""
    return f"an index of images for several platforms ({named})", ""


def _artifact(kind: str, content: Mapping[str, Any]) -> tuple[str, str]:
    subject = (content.get("subject") or {}).get("digest")
    if subject:
        return (
            f"a document about an image, of the type {kind}",
            f"name the image instead: sendoff show {subject}",
        )
    return f"an artifact of the type {kind}, such as a layer that is shared", ""


def _kind(image: RecordedImage) -> tuple[str, str]:
    """What an image without our labels of a run is, and what can be done instead."""
    settings: dict[str, Any] = image.config.get("config") or {}
    labels = settings.get("Labels") or {}
    if "lock" in image.labels:
        return "an environment image: Python packages, and no project to run", ""
    if PYTHON_LABEL in labels:
        return (
            "a base image of sendoff",
            f"pack a project upon it: sendoff pack --base …@{image.digest}",
        )
    return "an image that sendoff did not make", "run it as it is: docker run …"
