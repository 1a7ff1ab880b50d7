"""What a run needs on this machine before its runners can start: its images, unpacked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dispatcher.errors import PythonNotHere
from dispatcher.local import host_python, image
from dispatcher.local.layer_cache import LayerCache
from dispatcher.local.plan import Plan
from dispatcher.local.root import RootCache
from dispatcher.places import Places
from dispatcher.request import Data, Request
from packer.environment.interpreter import Interpreter
from packer.images.layout import Layout


class Preparation:
    """The images of a request, their unpacked layers and their environments on this machine."""

    def __init__(self, request: Request, places: Places) -> None:
        """Read the images' manifests and configs.

        Raises:
            BlobMissing, BlobAltered: of a manifest or config.
            ImageUnusable: an image was not made for this target.
        """
        self._request, self._places = request, places
        layout = Layout(Path(request.repository))
        self._layers = LayerCache(places.cache / "layers", layout)
        self._roots = RootCache(places.cache / "roots")
        digests = dict.fromkeys(asked.digest for asked in request.inputs)
        self._images = [image.read(layout, digest) for digest in digests]
        # Of a sweep's many images all have the same layers: a look at the disk for each of them
        # would find the same.
        self._alike = {_kind(found): found for found in self._images}
        self._interpreters: dict[str, Interpreter] = {}

    def check(self) -> None:
        """Refuse what can't be made ready; nothing is written.

        Raises:
            BlobMissing, BlobAltered: a layer that is to be unpacked is gone or cut short.
            PythonNotHere
        """
        for found in self._alike.values():
            self._layers.check(found.layers)
            self._interpreter(found)

    def plan(self) -> Plan | None:
        """The plan of the run; None while something is not ready."""
        ready = {}
        for kind, found in self._alike.items():
            root = self._roots.find(self._folders(found), self._interpreter(found))
            if root is None or self._layers.missing(found.layers):
                return None
            layers = [str(folder) for folder in self._folders(found)]
            ready[kind] = {"root": str(root), "layers": layers}
        images = {
            str(found.digest): {**ready[_kind(found)], "variables": found.environment}
            for found in self._images
        }
        request = self._request
        return Plan(
            inputs=[
                {
                    "command": list(asked.command),
                    "digest": asked.digest,
                    "data": _told(request.data + asked.data),
                }
                for asked in request.inputs
            ],
            images=images,
            settings={
                "store": self._places.store,
                "outputs": list(request.outputs),
                "file_limit": request.result_files,
                "byte_limit": request.result_size,
                "timeout": request.timeout,
                "grace": request.grace,
                "memory": request.resources.memory,
                "idle_limit": request.idle_limit and request.idle_limit.told,
            },
            environment=request.environment,
            secrets=list(request.secrets),
            retries=request.retries,
            parallel=request.max_parallel or len(os.sched_getaffinity(0)),
            protected=[str(self._layers.root), str(self._roots.root)],
        )

    def prepare(self) -> Plan:
        """Unpack layers and put environments together, as far as that was not done before.

        Raises:
            BlobMissing, BlobAltered, LayerUnsafe: nothing of such a layer is kept.
            PythonNotHere, DiskFull
        """
        self._layers.unpack([layer for found in self._alike.values() for layer in found.layers])
        for found in self._alike.values():
            self._roots.make(self._folders(found), self._interpreter(found))
        plan = self.plan()
        if plan is None:
            raise PythonNotHere(self._images[0].minor, ())
        return plan

    def _folders(self, found: image.Image) -> list[Path]:
        return [self._layers.path(layer) for layer in found.layers]

    def _interpreter(self, found: image.Image) -> Interpreter:
        if found.python not in self._interpreters:
            interpreter = host_python.find(found.python, self._places.cache)
            self._interpreters[found.python] = interpreter
        return self._interpreters[found.python]


def _kind(found: image.Image) -> tuple[object, ...]:
    """What images have in common that are the same folders on this machine."""
    return found.layers, found.python


def _told(data: tuple[Data, ...]) -> list[dict[str, Any]]:
    if not data:
        return []
    from dispatcher import inputs

    return inputs.told(data)
