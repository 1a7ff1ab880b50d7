"""An environment's layers, installed by BuildKit: the same tree as the native builder's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packer.building import environment_dockerfile
from packer.building.contexts import installer, layer
from packer.buildkit.build import Build, Compression, Output, cache_reference
from packer.buildkit.builder import Builder
from packer.digest import Digest
from packer.digester import Digester
from packer.environment.lock import Lock
from packer.errors import BlobAltered
from packer.images.base import Base
from packer.images.layout import Layout
from packer.layers import environment_plan
from packer.layers.environment_plan import LayerPlan
from packer.layers.layer import Layer
from packer.progress import Progress

if TYPE_CHECKING:
    from packer.wheels.wheelhouse import Fetch

_CHUNK = 1 << 20
_REPRODUCIBLE = {"rewrite-timestamp": "true"}


class BuildKitLayers:
    """Makes layers like `packer.layers.environment_image.build_layers`, by a builder."""

    def __init__(
        self,
        builder: Builder,
        base: Base,
        *,
        cache: str = "",
        compression: Compression = "gzip",
        fresh: bool = False,
    ) -> None:
        """`cache`: a repository where BuildKit finds what another has done, and leaves its own.

        `fresh`: whatever it knows, it is to install everything again.
        """
        self._builder, self._base = builder, base
        self._cache = cache_reference(cache, "environment", base.digest)
        self._compression, self._fresh = compression, fresh

    def layers(
        self,
        lock: Lock,
        files: Mapping[str, Path | bytes],
        fetch: Fetch,
        layout: Layout,
        progress: Progress,
    ) -> tuple[Layer, ...]:
        """The environment's layers in their order, all of them in `layout`.

        Raises:
            WheelHashMismatch: of a wheel; nothing was sent to the builder.
            FileAltered: of an installed file.
            BuilderUnreachable, BuilderDied, BuildFailed
            DiskFull
        """
        plans = environment_plan.plan(lock)
        if not plans:
            return ()
        wheels = dict(fetch(lock.wheels))
        with self._builder.workplace("the environment") as work:
            given = {environment_dockerfile.INSTALLER: str(installer(work / "installer"))}
            for number, plan in enumerate(plans):
                name = environment_dockerfile.context(number)
                given[name] = str(layer(work / name, plan, lock.minor, wheels, files))
            out = work / "out"
            self._builder.build(self._build(plans, given, out), progress)
            return _taken(out, layout)

    def _build(self, plans: Sequence[LayerPlan], contexts: Mapping[str, str], out: Path) -> Build:
        base = self._base
        reference = f"{base.repository}@{base.digest}"
        return Build(
            dockerfile=environment_dockerfile.render(plans, reference, base.python),
            contexts=dict(contexts),
            platform=base.platform,
            arguments={"SOURCE_DATE_EPOCH": "0"},
            output=Output.layout(out, compression=self._compression, **_REPRODUCIBLE),
            cache=self._cache,
            fresh=self._fresh,
        )


def _taken(out: Path, layout: Layout) -> tuple[Layer, ...]:
    """The layers of the one image in the layout `out`, moved into ours."""
    index = json.loads((out / "index.json").read_bytes())
    manifest = _blob(out, index["manifests"][0]["digest"])
    config = _blob(out, manifest["config"]["digest"])
    layers = []
    for told, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        found = Layer(
            digest=Digest(told["digest"]),
            diff_id=Digest(diff_id),
            size=int(told["size"]),
            media_type=told["mediaType"],
        )
        _take(out / "blobs" / "sha256" / found.digest.hex, found, layout)
        layers.append(found)
    return tuple(layers)


def _blob(out: Path, digest: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (out / "blobs" / "sha256" / Digest(digest).hex).read_bytes()
    )
    return content


def _take(path: Path, found: Layer, layout: Layout) -> None:
    if layout.has(found.digest, found.size):
        return
    digester = Digester()
    with layout.blob() as blob, path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digester.update(chunk)
            blob.write(chunk)
        actual = digester.finish()
        if actual != found.digest:
            raise BlobAltered(found.digest, actual, str(path))
        blob.commit(found.digest)
