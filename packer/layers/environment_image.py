"""The native builder: an environment's lock → its image layers, with no install and no daemon."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packer import image_paths
from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock, WheelPin
from packer.errors import WheelCorrupt, WheelHashMismatch
from packer.images.layout import Layout
from packer.layers import environment_plan, gzip, layer_memory, wheel
from packer.layers.build_queue import BuildQueue
from packer.layers.bytecode import Compiler
from packer.layers.environment_plan import LayerPlan
from packer.layers.installed_copy import LARGE, InstalledCopy
from packer.layers.layer import Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory
from packer.layers.shared_layers import (
    NOTHING_SHARED,
    WORTH_SHARING,
    Blob,
    SharedLayers,
    StreamLost,
)
from packer.layers.tree import CompressedFile, SandboxFile, TreeFile, WheelFile
from packer.layers.zip_archive import ZipArchive, ZipDamaged
from packer.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future

    from packer.wheels.wheelhouse import Arrivals, Fetch

_KEPT = 31 << 20
_BATCH = 48
"""Sources sent to a worker at once: enough to keep it busy, few enough to spread the work."""


def build_layers(  # noqa: PLR0917 (two values, two sources, two places and a listener)
    lock: Lock,
    files: Mapping[str, Path | bytes],
    fetch: Fetch,
    interpreter: Interpreter,
    layout: Layout,
    memory: Path,
    progress: Progress,
    *,
    prefix: str = image_paths.PREFIX,
    shared: SharedLayers = NOTHING_SHARED,
) -> tuple[Layer, ...]:
    """The environment's layers in their order, in `layout` or shared, laid out below `prefix`.

    A layer that `memory` knows costs a look-up: its wheel need not be here. The others are made,
    and shared, while further wheels are fetched; one that can't be made is told of when the next
    wheel has come. `files` holds the bytes of what comes without a wheel, by sha256.

    Raises:
        WheelCorrupt, WheelHashMismatch: of a wheel; no layer was made from it.
        FileAltered: of an installed file.
        ProgramFailed: the interpreter does not compile.
        DiskFull
        SendoffError: of `fetch`.
    """
    known = LayerMemory(memory, layout, shared)
    plans = {
        layer_memory.key(plan, interpreter, prefix): plan for plan in environment_plan.plan(lock)
    }
    layers = {key: known.recall(key) for key in plans}
    missing = {key: plans[key] for key, layer in layers.items() if layer is None}
    for key, layer in shared.layers([key for key in missing if _is_shared(plans[key])]).items():
        known.remember(key, layer)
        layers[key] = layer
        del missing[key]
    if missing:
        wanted = tuple(pin for plan in missing.values() for pin in plan.wheels)
        with Compiler(interpreter, prefix) as compiler, closing(fetch(wanted)) as arrivals:
            builder = _Builder(files, compiler, _Places(layout, shared, known))
            layers |= builder.build(missing, arrivals, progress)
    return tuple(layer for layer in layers.values() if layer)


def _is_shared(plan: LayerPlan) -> bool:
    return plan.size >= WORTH_SHARING


class _Places(NamedTuple):
    """Where layers go, and what is known of them."""

    layout: Layout
    shared: SharedLayers
    known: LayerMemory

    def blobs(self, plan: LayerPlan) -> Iterator[AbstractContextManager[Blob]]:
        """Where the layer may go, the best first: what others may ask for needs no copy here."""
        if _is_shared(plan) and (stream := self.shared.stream()):
            yield stream
        yield self.layout.blob()


class _Shortcuts(NamedTuple):
    """What saves work, where it proves true."""

    layer: Layer | None = None
    """What it was when it was made before."""
    installed: bool = False
    """Whether the sandbox's files are taken for what the wheels hold."""


class _GivenUp(Exception):
    """Another layer could not be made, or whoever wanted it has gone."""


class _Watched(NamedTuple):
    """A layer that is written for as long as somebody wants it."""

    blob: Blob
    check: Callable[[], None]

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""
        self.check()
        return self.blob.write(data)


class _Builder:
    """Makes layers side by side. Inflating and hashing leave the interpreter's lock alone."""

    def __init__(
        self, files: Mapping[str, Path | bytes], compiler: Compiler, places: _Places
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._wheels: dict[str, Path] = {}
        self._files, self._compiler, self._places = files, compiler, places
        self._over = False
        # glibc gives memory back to the kernel after every piece, until it has seen a large block
        # freed (mallopt(3), "dynamic mmap threshold"): half of the time spent in the kernel.
        bytearray(_KEPT)
        self._layers = ThreadPoolExecutor(compiler.workers, thread_name_prefix="layer")
        # What layers wait for; waits for nothing itself.
        self._parts = ThreadPoolExecutor(2 * compiler.workers, thread_name_prefix="part")

    def build(
        self, plans: Mapping[Digest, LayerPlan], arrivals: Arrivals, progress: Progress
    ) -> dict[Digest, Layer]:
        """The layer of each plan; it is begun when its wheels are there, and told of when made."""
        from concurrent.futures import as_completed

        queue, made = BuildQueue(plans), dict[Digest, Layer]()
        jobs: list[Future[Digest]] = []

        def one() -> Digest:
            key = queue.take()
            made[key] = self._made(key, plans[key])
            return key

        with self._layers, self._parts:
            try:
                for number in self._ready(queue, arrivals):
                    jobs += [self._layers.submit(one) for _ in range(number)]
                    for job in jobs:
                        if job.done():
                            job.result()
                if lacking := queue.lacking():
                    raise LookupError(f"these wheels were not fetched: {sorted(lacking)}")
                left = plans.keys() - list(made)
                progress.start("environment", sum(plans[key].size for key in left))
                for job in as_completed(jobs):
                    if (key := job.result()) in left:
                        progress.advance(plans[key].size)
            finally:
                # What is being made then is wanted by nobody.
                self._over = True
                for job in jobs:
                    job.cancel()
        progress.done(f"{len(plans)} layers")
        return made

    def _made(self, key: Digest, plan: LayerPlan) -> Layer:
        """A layer that is remembered, and shared, whatever becomes of the others."""
        layer = self._layer(plan, self._places.known.identity(key))
        self._places.known.remember(key, layer)
        self._places.shared.made(key, layer, shared=_is_shared(plan))
        return layer

    def _ready(self, queue: BuildQueue, arrivals: Arrivals) -> Iterator[int]:
        """How many more layers can be begun, after each wheel that has come."""
        yield queue.begin()
        for sha256, path in arrivals:
            self._wheels[sha256] = path
            yield queue.arrived(sha256)

    def _layer(self, plan: LayerPlan, was: Layer | None) -> Layer:
        """The layer; where it `was` made before and is gone, without inflating it once more."""
        # Where what is remembered is of other bytes, it is not believed.
        if was and self._put(plan, _Shortcuts(was)) == was:
            return was
        try:
            return self._put(plan, _Shortcuts(installed=True))
        except WheelCorrupt:
            # Or the sandbox has another file in its place.
            return self._put(plan, _Shortcuts())

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
        checks = [] if was else [self._parts.submit(self._verify, pin) for pin in plan.wheels]
        with ExitStack() as archives:
            tree = self._tree(plan, archives)
            if shortcuts.installed:
                tree |= dict(self._installed(tree))
            tree |= {file.path: file for file in self._bytecode(tree)}
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

    def _bytecode(self, tree: Mapping[str, TreeFile]) -> Iterator[CompressedFile]:
        """The .pyc of all sources in site-packages, made in batches by several processes."""
        site = self._compiler.site
        sources = [
            file for path, file in tree.items() if path.startswith(site) and path.endswith(".py")
        ]
        batches = [sources[at : at + _BATCH] for at in range(0, len(sources), _BATCH)]
        for made in self._parts.map(self._compiled, batches):
            yield from made

    def _compiled(self, batch: list[TreeFile]) -> list[CompressedFile]:
        made = zip(batch, self._compiler.compile(batch), strict=True)
        return [
            CompressedFile(self._compiler.cached(source.path), data, gzip.compress(data))
            for source, data in made
            if data is not None
        ]

    def _check(self) -> None:
        if self._over:
            raise _GivenUp

    def _verify(self, pin: WheelPin) -> None:
        path = self._wheels[pin.sha256]
        with path.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
        if actual != pin.sha256:
            raise WheelHashMismatch(pin.filename, pin.sha256, actual, str(path))
