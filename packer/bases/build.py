"""Building bases: one `bake` for all, into a layout; then what is known of each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from packer.bases import contents, packages, provenance, sbom
from packer.bases.built import BuiltBase, BuiltBases
from packer.bases.catalogue import Catalogue
from packer.bases.contents import ImageContents
from packer.bases.errors import BaseUnreadable
from packer.bases.packages import Package
from packer.bases.plan import BELOW, PLATFORM, Target
from packer.bases.provenance import Circumstances
from packer.buildkit.build import Build, Built, Output, Secret, cache_reference
from packer.buildkit.builder import Builder
from packer.digest import Digest
from packer.images import base
from packer.images.layout import Layout
from packer.progress import SILENT, Progress
from packer.record import Record

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_TIMELESS = {"rewrite-timestamp": "true"}
"""No file of an image is newer than SOURCE_DATE_EPOCH."""
_PROVENANCE = "buildx.build.provenance"


class Workshop(Record, frozen=True):
    """Where bases are built, and from what."""

    catalogue: Catalogue
    folder: Path
    """That of the catalogue and the Dockerfiles."""
    builder: Builder
    tool: str
    """Who builds, for the documents: "sendoff-1.0"."""
    certificates: Path | None = None
    """Authorities that steps trust besides: those of a site's proxy. They are in no image."""
    arguments: dict[str, str] = {}
    """Build arguments besides, which name mirrors: `PIP_INDEX_URL`, `UV_PYTHON_INSTALL_MIRROR`."""
    cache: str = ""
    """Repository where builders share what they have done; empty for none."""
    fresh: bool = False
    """Whether every step is done anew, though the builder knows its result."""


def bake(
    workshop: Workshop, targets: Sequence[Target], work: Path, progress: Progress = SILENT
) -> dict[str, Built]:
    """Build `targets`, each into a layout of its own below `work` that is called by its `id`.

    `targets` has what each is built upon. Nothing is published, and nothing is kept of a few.

    Raises:
        BuilderUnreachable, BuilderDied
        BuildFailed: a step failed; PackageUnknown and SourceImageGone say more.
    """
    builds = {each.id: plan(workshop, each, laid(work, each).root) for each in targets}
    return workshop.builder.bake(builds, progress)


def plan(workshop: Workshop, target: Target, output: Path) -> Build:
    """What BuildKit is asked for: the same bytes, whoever builds it and whenever."""
    context, trusted = workshop.folder / target.folder, workshop.certificates
    return Build(
        dockerfile=(context / "Dockerfile").read_text(),
        context=context,
        contexts={BELOW: f"target:{target.below}"} if target.below else {},
        arguments={**workshop.arguments, **target.arguments},
        secrets=(Secret(name="certificates", file=trusted),) if trusted else (),
        platform=PLATFORM,
        cache=cache_reference(workshop.cache, "base", Digest.of(target.id.encode())),
        fresh=workshop.fresh,
        output=Output.layout(output, compression="gzip", **_TIMELESS),
    )


def build(
    workshop: Workshop,
    targets: Sequence[Target],
    shelf: BuiltBases,
    progress: Progress = SILENT,
) -> tuple[BuiltBase, ...]:
    """Build `targets` and keep them, with their bills of materials and their provenance.

    Raises:
        As `bake`; and
        BaseUnreadable: an image says nothing of its Python, or no package database is in it.
        LayoutDamaged, DiskFull
    """
    version = workshop.builder.check()
    started, clock = datetime.now(UTC), time.monotonic()
    with workshop.builder.workplace("the bases") as work:
        done = bake(workshop, targets, work, progress)
        seen = Circumstances(
            started=started.strftime(_STAMP),
            finished=datetime.now(UTC).strftime(_STAMP),
            versions={"sendoff": workshop.tool.rpartition("-")[2], "buildkit": version},
            dockerfile=Digest.of(b""),
        )
        took = round(time.monotonic() - clock, 1)
        progress.start("reading what was built")
        made = []
        for target in targets:
            layout = laid(work, target)
            digest = image_of(layout, target)
            shelf.adopt(layout)
            made.append(_describe(workshop, target, (shelf.layout, digest, seen, done[target.id])))
        progress.done()
    kept = tuple(replace(each, seconds=took) for each in made)
    for each in kept:
        shelf.keep(each)
    return kept


def laid(work: Path, target: Target) -> Layout:
    """Where `bake` has put a target."""
    return Layout(work / target.id)


def image_of(layout: Layout, target: Target) -> Digest:
    """The manifest of the one image that a builder wrote into a layout.

    Raises:
        BaseUnreadable, LayoutDamaged
    """
    found = layout.manifests()
    if len(found) != 1:
        raise BaseUnreadable(target.title, f"its layout has {len(found)} images instead of one")
    return found[0]


def _describe(
    workshop: Workshop,
    target: Target,
    seen: tuple[Layout, Digest, Circumstances, Built],
) -> BuiltBase:
    layout, digest, circumstances, done = seen
    image = contents.read(layout, digest)
    python = _interpreter(target, image, workshop)
    found = packages.of_image(layout, image, python)
    if not any(each.kind == "deb" for each in found.packages):
        raise BaseUnreadable(target.title, f"there is no package database {packages.STATUS} in it")
    subject = sbom.Subject(
        title=target.title,
        digest=digest,
        created=int(target.arguments["SOURCE_DATE_EPOCH"]),
    )
    circumstances = replace(
        circumstances,
        dockerfile=provenance.of_folder(workshop.folder / target.folder),
        materials=_materials(done.metadata),
    )
    return BuiltBase(
        name=target.name,
        python=target.python,
        digest=digest,
        size=image.size,
        layers=image.layers,
        distribution=found.distribution,
        packages=found.packages,
        sbom=layout.write(sbom.document(subject, found, workshop.tool)),
        provenance=layout.write(provenance.statement(target, digest, circumstances)),
    )


def _interpreter(target: Target, image: ImageContents, workshop: Workshop) -> Package | None:
    """The Python of a base, where dpkg knows nothing of it.

    Raises:
        BaseUnreadable: the image does not say where its Python is.
    """
    version = image.labels.get(base.VERSION_LABEL, "")
    if not version or not image.labels.get(base.PYTHON_LABEL):
        raise BaseUnreadable(target.title, f"it has no labels {base.PYTHON_LABEL} and …-version")
    if not workshop.catalogue.pythons[target.python].uv:
        return None
    return Package(name="cpython", version=version, kind="generic")


def _materials(metadata: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """What BuildKit says that it took (SLSA provenance, both versions that it writes)."""
    found = metadata.get(_PROVENANCE) or {}
    if not isinstance(found, dict):
        return ()
    later = (found.get("buildDefinition") or {}).get("resolvedDependencies")
    listed = later or found.get("materials") or ()
    return tuple(
        {"uri": each["uri"], "digest": each.get("digest") or {}}
        for each in listed
        if isinstance(each, dict) and each.get("uri")
    )
