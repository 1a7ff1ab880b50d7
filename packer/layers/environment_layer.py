"""One layer of an environment, from its plan: its wheels' files, and bytecode for all sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packer.images.layout import Layout
from packer.layers import gzip, wheel
from packer.layers.bytecode import Compiler
from packer.layers.environment_plan import LayerPlan
from packer.layers.installed_copy import LARGE, InstalledCopy
from packer.layers.kept_bytecode import KeptBytecode
from packer.layers.layer import Layer, LayerWriter
from packer.layers.shared_layers import WORTH_SHARING, Blob, SharedLayers, StreamLost
from packer.layers.tree import CompressedFile, SandboxFile, TreeFile, WheelFile
from packer.layers.zip_archive import ZipArchive, ZipDamaged
from packer.wheels import verification
from packer.wheels.delivery import GivenUp
from packer.wheels.errors import WheelCorrupt, WheelHashMismatch

if TYPE_CHECKING:
    from concurrent.futures import Executor

_BATCH = 48
"""Sources sent to a worker at once: enough to keep it busy, few enough to spread the work."""


def is_shared(plan: LayerPlan) -> bool:
    """Whether the layer is worth asking others for by itself."""
    return plan.size >= WORTH_SHARING


class Places(NamedTuple):
    """Where layers go."""

    layout: Layout
    shared: SharedLayers

    def blobs(self, plan: LayerPlan) -> Iterator[AbstractContextManager[Blob]]:
        """Where the layer may go, the best first: what others may ask for needs no copy here."""
        if is_shared(plan) and (stream := self.shared.stream()):
            yield stream
        yield self.layout.blob()


class _Shortcuts(NamedTuple):
    """What saves work, where it proves true."""

    layer: Layer | None = None
    """What it was when it was made before."""
    bytecode: KeptBytecode | None = None
    """Where that which it had then is kept; None where it is not."""
    installed: bool = False
    """Whether the sandbox's files are taken for what the wheels hold."""


class _Watched(NamedTuple):
    """A layer that is written for as long as somebody wants it."""

    blob: Blob
    check: Callable[[], None]

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""
        self.check()
        return self.blob.write(data)


class LayerMaker:
    """Makes layers, for several threads: inflating and hashing leave the interpreter's lock."""

    def __init__(
        self,
        wheels: Mapping[str, Path],
        files: Mapping[str, Path | bytes],
        compiler: Compiler,
        places: Places,
        parts: Executor,
    ) -> None:
        """`wheels`: sha256 → those that are there by now. `parts` does what a layer waits for."""
        self._wheels, self._files, self._compiler = wheels, files, compiler
        self._places, self._parts = places, parts
        self._over = False

    def give_up(self) -> None:
        """What is being made is wanted by nobody: it ends at its next piece."""
        self._over = True

    def make(self, plan: LayerPlan, was: Layer | None, bytecode: KeptBytecode | None) -> Layer:
        """The layer; where it `was` made before and is gone, nothing is inflated once more, nor
        compiled if its `bytecode` was kept.

        Raises:
            WheelCorrupt, WheelHashMismatch: of a wheel; there is no layer, and no wheel either
                that is not the pinned one.
            FileAltered, ProgramFailed, DiskFull
            GivenUp: another could not be made, or whoever wanted it has gone.
        """
        try:
            return self._made(plan, was, bytecode)
        except (WheelCorrupt, WheelHashMismatch):
            for pin in plan.wheels:
                with suppress(WheelHashMismatch, FileNotFoundError):
                    verification.require(pin, self._wheels[pin.sha256])
            raise

    def _made(self, plan: LayerPlan, was: Layer | None, bytecode: KeptBytecode | None) -> Layer:
        # Where what is remembered is of other bytes, it is not believed.
        if was and self._put(plan, _Shortcuts(was, bytecode)) == was:
            return was
        try:
            return self._put(plan, _Shortcuts(None, bytecode, installed=True))
        except WheelCorrupt:
            # Or the sandbox has another file in its place.
            return self._put(plan, _Shortcuts(None, bytecode))

    def _put(self, plan: LayerPlan, shortcuts: _Shortcuts) -> Layer:
        *streams, last = self._places.blobs(plan)
        for stream in streams:
            with suppress(StreamLost), stream as blob:
                return self._written(plan, shortcuts, blob)
        with last as blob:
            return self._written(plan, shortcuts, blob)

    def _written(self, plan: LayerPlan, shortcuts: _Shortcuts, blob: Blob) -> Layer:
        """The layer that was written; it is there if it is what it `was`, where that is known."""
        was = shortcuts.layer
        # The same bytes as were made of the right wheels say more than the wheels' own hashes.
        unproved = () if was else plan.wheels
        checks = [
            self._parts.submit(verification.verify, pin, self._wheels[pin.sha256])
            for pin in unproved
        ]
        with ExitStack() as archives:
            tree = self._tree(plan, archives)
            if shortcuts.installed:
                tree |= dict(self._installed(tree))
            tree |= {file.path: file for file in self._bytecode(tree, shortcuts)}
            writer = LayerWriter(_Watched(blob, self._check), was.diff_id if was else None)
            try:
                for path in sorted(tree, key=os.fsencode):
                    tree[path].write(writer, f"{self._compiler.prefix[1:]}/{path}")
            except ZipDamaged as error:
                raise WheelCorrupt(plan.what, str(error)) from error
            layer = writer.finish()
        for check in checks:
            check.result()
        if was in (None, layer):
            blob.commit(layer.digest)
        return layer

    def _tree(self, plan: LayerPlan, archives: ExitStack) -> dict[str, TreeFile]:
        tree: dict[str, TreeFile] = {}
        for pin in plan.wheels:
            try:
                archive = archives.enter_context(ZipArchive(self._wheels[pin.sha256]))
            except ZipDamaged as error:
                raise WheelCorrupt(pin.filename, str(error)) from error
            tree |= wheel.tree(pin, archive, self._compiler.minor, plan.removed)
        for files in (*(pin.files for pin in plan.files), plan.overlay):
            tree |= {file.path: SandboxFile(file, self._files[file.sha256]) for file in files}
        return tree

    def _installed(self, tree: Mapping[str, TreeFile]) -> Iterator[tuple[str, TreeFile]]:
        """Large files of wheels, with what the sandbox has in their places."""
        for path, file in tree.items():
            if isinstance(file, WheelFile) and file.member.size >= LARGE:
                place = path.startswith(self._compiler.site) and self._compiler.in_sandbox(path)
                if place and (copy := InstalledCopy.find(place, file.member.size)):
                    yield path, file._replace(installed=copy)

    def _bytecode(self, tree: Mapping[str, TreeFile], shortcuts: _Shortcuts) -> Sequence[TreeFile]:
        """The .pyc of all sources that get one."""
        kept = shortcuts.bytecode
        if shortcuts.layer and kept and (files := kept.files()):
            return files
        made = list(self._all_compiled(tree))
        if kept and made:
            kept.keep(made)
        return made

    def _all_compiled(self, tree: Mapping[str, TreeFile]) -> Iterator[CompressedFile]:
        """They are made in batches by several processes."""
        sources = [file for path, file in tree.items() if self._compiler.wants(path)]
        batches = [sources[at : at + _BATCH] for at in range(0, len(sources), _BATCH)]
        for made in self._parts.map(self._compiled, batches):
            yield from made

    def _compiled(self, batch: list[TreeFile]) -> list[CompressedFile]:
        self._check()
        made = zip(batch, self._compiler.compile(batch), strict=True)
        return [
            CompressedFile(
                self._compiler.cached(source.path), data, gzip.compress(data), gzip.crc32(data)
            )
            for source, data in made
            if data is not None
        ]

    def _check(self) -> None:
        if self._over:
            raise GivenUp
