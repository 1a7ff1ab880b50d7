"""The layers of an image beside its code: the environment, the runner, and a place to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packer import image_paths
from packer.building.choice import Choice
from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers import interpreter_layer, library_layers, made_layer, program_layer
from packer.layers.layer import Layer
from packer.layers.layer_memory import LayerMemory
from packer.layers.library_layers import Libraries, Workplace
from packer.layers.made_layer import Contents
from packer.layers.shared_layers import SharedLayers
from packer.pack_request import PackRequest
from packer.progress import Progress

if TYPE_CHECKING:
    from packer.environment.interpreter import Interpreter
    from packer.environment.materials import Resolved

MEMORY = "layers"
"""Below the cache: what is known of layers that were made before."""


class ImageLayers:
    """Those of one request. Each is made where it is not known yet."""

    def __init__(
        self,
        request: PackRequest,
        choice: Choice,
        layout: Layout,
        progress: Progress,
        shared: SharedLayers,
    ) -> None:
        self._request, self._choice, self._layout = request, choice, layout
        self._progress, self._shared = progress, shared
        self._known = LayerMemory(request.cache / MEMORY, layout, shared)

    def environment(
        self, key: Digest, interpreter: Interpreter, resolved: Resolved
    ) -> tuple[Layer, ...]:
        """The environment's, known together by `key`."""
        layers = self._known.recall_all(key)
        if layers is None:
            layers = self._shared.environment(key) or self._build(interpreter, resolved)
            self._known.remember(key, layers)
        return layers

    def runner(self, interpreter: Interpreter) -> tuple[Layer, ...]:
        """Those of the runner and its libraries."""
        request = self._request
        if not request.base:
            # On this machine the runner is compiled where it is unpacked.
            return (self._made(Contents(files=request.runner)),) if request.runner else ()
        runner = program_layer.build(request.runner, interpreter, self._layout, self._known)
        return (*self._libraries(interpreter), runner)

    def last(self) -> tuple[Layer, ...]:
        """Where an image runs by itself, its user may write beside the project's files."""
        if not self._request.base:
            return ()
        return (self._made(Contents(open_directories=(image_paths.WORKSPACE,))),)

    def _build(self, interpreter: Interpreter, resolved: Resolved) -> tuple[Layer, ...]:
        base = self._request.base
        if self._choice.whole:
            layers = self._installed(resolved)
        else:
            layers = self._spliced(interpreter, resolved)
        if base:
            return (*layers, self._made(interpreter_layer.contents(base)))
        # An environment with nothing installed is a directory: no image is without a layer.
        return layers or (self._made(Contents(directories=(image_paths.PREFIX,))),)

    def _spliced(self, interpreter: Interpreter, resolved: Resolved) -> tuple[Layer, ...]:
        """By the native builder."""
        from packer.layers.environment_image import build_layers

        return build_layers(
            resolved.lock,
            resolved.files,
            resolved.fetch,
            interpreter,
            self._layout,
            self._request.cache / MEMORY,
            self._progress,
            shared=self._shared,
        )

    def _installed(self, resolved: Resolved) -> tuple[Layer, ...]:
        """By BuildKit."""
        from packer.building.environment_layers import BuildKitLayers
        from packer.buildkit.builder import Builder
        from packer.buildkit.errors import BuilderInvalid

        request = self._request
        if request.base is None:
            raise BuilderInvalid(request.builder, "an image without a base has nothing to run on")
        builder = Builder.at(self._choice.address, request.cache)
        made = BuildKitLayers(builder, request.base, cache=request.image.cache)
        return made.layers(
            resolved.lock, resolved.files, resolved.fetch, self._layout, self._progress
        )

    def _libraries(self, interpreter: Interpreter) -> tuple[Layer, ...]:
        request, base = self._request, self._request.base
        if not base or not request.libraries:
            return ()
        wanted = Libraries(request.libraries, image_paths.RUNNER, base.platform, base.glibc)
        place = Workplace(interpreter, request.project, request.cache, self._layout, self._progress)
        return library_layers.build(wanted, place)

    def _made(self, contents: Contents) -> Layer:
        return made_layer.build(contents, self._layout, self._known)
