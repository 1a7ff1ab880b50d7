"""What a run needs on this machine before its runners can start."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dispatcher.local import environment, host_python, image
from dispatcher.local.layer_cache import LayerCache, remove
from dispatcher.local.protection import protect
from dispatcher.local.root import RootCache
from dispatcher.local.runner_process import RunnerProcess
from dispatcher.local.workspace import Workspace
from dispatcher.places import Places
from dispatcher.run import Run
from dispatcher.runner.assignment import Assignment
from packer.digest import Digest
from packer.layout import Layout


class Preparation:
    """Unpacks images, puts environments together, and starts runners in fresh directories."""

    def __init__(self, run: Run, places: Places) -> None:
        self._run, self._places = run, places
        self._layout = Layout(Path(run.request.repository))
        self._layers = LayerCache(places.cache / "layers", self._layout)
        self._roots = RootCache(places.cache / "roots")
        self._images: dict[Digest, tuple[image.Image, Path]] = {}

    def prepare(self) -> None:
        """Have every image of the run ready, and nothing shared writable.

        Raises:
            SendoffError: an image is missing, altered, unsafe, or can't run here; no room.
        """
        wanted = dict.fromkeys(asked.digest for asked in self._run.request.inputs)
        images = [image.read(self._layout, digest) for digest in wanted]
        self._layers.unpack([layer for found in images for layer in found.layers])
        for found in images:
            interpreter = host_python.find(found.python, self._places.cache)
            root = self._roots.get([self._layers.path(x) for x in found.layers], interpreter)
            self._images[found.digest] = found, root
        protect([self._layers.root, self._roots.root])

    def start(self, index: int, attempt: int) -> RunnerProcess:
        """Start an attempt.

        Raises:
            DiskFull: there is no room for its working directory.
        """
        request = self._run.request
        asked = request.inputs[index]
        found, root = self._images[asked.digest]
        workspace = Workspace(self.folder(index, attempt))
        remove(workspace.root)
        workspace.fill([self._layers.path(layer) for layer in found.layers], root)
        secrets = {name: os.environ[name] for name in request.secrets if name in os.environ}
        variables = environment.variables(
            os.environ,
            found.environment,
            {**request.environment, **secrets},
            environment=root,
            attempt=workspace.root,
        )
        assignment = Assignment(
            run=self._run.id,
            index=index,
            attempt=attempt,
            digest=asked.digest,
            command=list(asked.command),
            store=str(self._places.store),
            workspace=str(workspace.directory),
            output_dir=str(workspace.outputs),
            outputs=list(request.outputs),
            timeout=request.timeout,
            grace=request.grace,
            memory=request.resources.memory,
        )
        return RunnerProcess(assignment, root, variables)

    def folder(self, index: int, attempt: int) -> Path:
        """The attempt's own folder."""
        return self._places.work(self._run.id) / f"{index}-{attempt}"

    def clean_attempt(self, index: int, attempt: int) -> None:
        """Remove an attempt's folder: what counts of it is in the store."""
        remove(self.folder(index, attempt))

    def clean(self) -> None:
        """Remove the run's folder where nothing was kept in it."""
        with suppress(OSError):
            self._places.work(self._run.id).rmdir()
