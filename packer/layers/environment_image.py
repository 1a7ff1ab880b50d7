"""The native builder: an environment's lock → its image layers, with no install and no daemon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from packer import image_paths
from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock
from packer.images.layout import Layout
from packer.layers import environment_plan, layer_memory
from packer.layers.build_queue import BuildQueue
from packer.layers.bytecode import Compiler
from packer.layers.environment_layer import LayerMaker, Places, is_shared
from packer.layers.environment_plan import LayerPlan
from packer.layers.layer import Layer
from packer.layers.layer_memory import LayerMemory
from packer.layers.shared_layers import NOTHING_SHARED, SharedLayers
from packer.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future

    from packer.wheels.wheelhouse import Arrivals, Fetch


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
    for key, layer in shared.layers([key for key in missing if is_shared(plans[key])]).items():
        known.remember(key, layer)
        layers[key] = layer
        del missing[key]
    if missing:
        wanted = tuple(pin for plan in missing.values() for pin in plan.wheels)
        with Compiler(interpreter, prefix) as compiler, closing(fetch(wanted)) as arrivals:
            builder = _Builder(files, compiler, Places(layout, shared), known)
            layers |= builder.build(missing, arrivals, progress)
    return tuple(layer for layer in layers.values() if layer)


class _Builder:
    """Has layers made side by side, each once its wheels are there."""

    def __init__(
        self,
        files: Mapping[str, Path | bytes],
        compiler: Compiler,
        places: Places,
        known: LayerMemory,
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._wheels: dict[str, Path] = {}
        self._shared, self._known = places.shared, known
        self._layers = ThreadPoolExecutor(compiler.workers, thread_name_prefix="layer")
        # What layers wait for; waits for nothing itself.
        self._parts = ThreadPoolExecutor(2 * compiler.workers, thread_name_prefix="part")
        self._maker = LayerMaker(self._wheels, files, compiler, places, self._parts)

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
                self._maker.give_up()
                for job in jobs:
                    job.cancel()
        progress.done(f"{len(plans)} layers")
        return made

    def _made(self, key: Digest, plan: LayerPlan) -> Layer:
        """A layer that is remembered, and shared, whatever becomes of the others."""
        # That of a small one is made as quickly as it is read.
        kept = self._known.bytecode(key) if is_shared(plan) else None
        layer = self._maker.make(plan, self._known.identity(key), kept)
        self._known.remember(key, layer)
        self._shared.made(key, layer, shared=is_shared(plan))
        return layer

    def _ready(self, queue: BuildQueue, arrivals: Arrivals) -> Iterator[int]:
        """How many more layers can be begun, after each wheel that has come."""
        yield queue.begin()
        for sha256, path in arrivals:
            self._wheels[sha256] = path
            yield queue.arrived(sha256)
