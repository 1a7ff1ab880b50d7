"""A base image with packages and commands of the project's upon it; it becomes the base."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from packer.building.errors import BuildSecretMissing
from packer.building.image_settings import ImageSettings
from packer.building.source_dockerfile import install
from packer.buildkit.build import Build, Output, Secret, cache_reference
from packer.buildkit.builder import Builder
from packer.digest import Digest
from packer.images.base import Base
from packer.progress import SILENT, Progress
from packer.record import encode
from packer.registry.registry import Registry

_RECIPE = "1"
"""Raised when the same settings give another image."""


def extended(
    base: Base,
    settings: ImageSettings,
    builder: Builder,
    registry: Registry,
    progress: Progress = SILENT,
) -> Base:
    """`base` with the settings' steps done, in `registry`; made once for all who share that.

    BuildKit pushes it as `base-<key>`, its manifest last. What apt installs today is another thing
    tomorrow: until someone deletes the tag, everyone has what was built first.

    Raises:
        BuildSecretMissing: a variable that steps read is not set here.
        BuilderUnreachable, BuilderDied, BuildFailed, PackageUnknown, PublishRefused
        SendoffError: what `packer.registry` raises.
    """
    made = found(base, settings, registry)
    if made:
        return made
    missing = [each for each in settings.secrets if each not in os.environ]
    if missing:
        raise BuildSecretMissing(missing[0])
    name = _name(base, settings, registry)
    builder.build(_build(base, settings, name), progress)
    made = registry.base(name, base.platform)
    if _compressed_anew(made, base):
        return registry.rebase(made, base, tag(base, settings), progress)
    return made


def _compressed_anew(made: Base, base: Base) -> bool:
    """Whether the layers of `base` are in `made` as other blobs, which no node has that has `base`.

    A docker engine keeps no blobs, and pushes such of what it has from another registry.
    """
    lowest = made.layers[: len(base.layers)]
    alike = [layer.diff_id for layer in lowest] == [layer.diff_id for layer in base.layers]
    return alike and lowest != base.layers


def found(base: Base, settings: ImageSettings, registry: Registry) -> Base | None:
    """What `extended` has made before; None where it has not.

    Raises:
        SendoffError: what `packer.registry` raises.
    """
    if registry.has(tag(base, settings)) is None:
        return None
    return registry.base(_name(base, settings, registry), base.platform)


def _name(base: Base, settings: ImageSettings, registry: Registry) -> str:
    return f"{registry.repository}:{tag(base, settings)}"


def tag(base: Base, settings: ImageSettings) -> str:
    """What the image is called: by all that decides it."""
    facts = [_RECIPE, base.digest, settings.apt, settings.run]
    return f"base-{Digest.of(encode(facts)).hex}"


def dockerfile(base: Base, settings: ImageSettings) -> str:
    """Its text. Pure."""
    parts = [f"FROM {base.repository}@{base.digest}\nUSER 0\n"]
    parts += [install(settings.apt)] if settings.apt else []
    parts += [_step(command, settings.secrets) for command in settings.run]
    return "".join([*parts, f"USER {base.user or '0'}\n"])


def _step(command: str, secrets: Sequence[str]) -> str:
    mounts = "".join(f" --mount=type=secret,id={name},env={name}" for name in secrets)
    # What a Dockerfile would read as something else than a command for the shell.
    special = "\n" in command or command.endswith("\\") or command[:1] in {"[", "-", "<", "#"}
    words = json.dumps(["/bin/sh", "-c", command]) if special else command
    return f"RUN{mounts} {words}\n"


def _build(base: Base, settings: ImageSettings, name: str) -> Build:
    # What other commands change, the same packages do not.
    key = Digest.of(encode([_RECIPE, base.digest, settings.apt]))
    return Build(
        dockerfile=dockerfile(base, settings),
        arguments={"SOURCE_DATE_EPOCH": "0"},
        platform=base.platform,
        secrets=tuple(Secret(name=each) for each in settings.secrets),
        output=Output.pushed(name),
        cache=cache_reference(settings.cache, "image", key),
    )
