"""The pipeline: project and environment → run images in a layout."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from packer import cautions, disk, image_paths
from packer.building import choice, plan
from packer.building.image_settings import ImageSettings
from packer.building.plan import Task
from packer.digest import Digest
from packer.environment.environment_report import Agree, EnvironmentReport
from packer.environment.lock import Lock, essence
from packer.errors import EditableGone, SendoffError
from packer.image_layers import MEMORY, ImageLayers
from packer.images import image
from packer.images.descriptor import Descriptor
from packer.images.errors import BasePythonDiffers
from packer.images.image import NO_BASE, Image
from packer.images.layout import Layout
from packer.layers import code_layers
from packer.layers.code_layers import Tree
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.layers.shared_layers import NOTHING_SHARED, SharedLayers
from packer.pack_request import Command, PackRequest
from packer.packed import Outlook, Packed
from packer.progress import SILENT, Progress
from packer.project import snapshot
from packer.project.revision import Asking
from packer.project.snapshot import Snapshot
from packer.record import encode

if TYPE_CHECKING:
    from packer.environment.interpreter import Interpreter
    from packer.environment.materials import Resolution, Resolved


def pack(
    request: PackRequest,
    progress: Progress = SILENT,
    agree: Agree | None = None,
    shared: SharedLayers = NOTHING_SHARED,
) -> Packed:
    """Pack the project and its environment, and return the digests of the images.

    Nothing is fetched or built before `agree`, which is told what the environment is made of.
    Layers that are `shared` already are neither, and need not be in the layout.

    The layout has them tagged as well: `<project>-<12 digits of the digest>` for a run image,
    `env-<digest of lock, base and layout version>` for the environment image.

    Raises:
        SendoffError: see packer/errors.py and packer/project/tree_errors.py. Nothing is left that
            a later pack would believe.
    """
    with disk.room("the images", request.layout):
        return _Pack(request, progress, shared, agree).run()


def look(request: PackRequest, progress: Progress = SILENT) -> Outlook:
    """What the image would be made of, and by whom. Nothing is fetched or built.

    Raises:
        SendoffError: as `pack`.
    """
    with disk.room("the lock", request.cache):
        return _Pack(request, progress).look()


_Made = tuple[Packed, dict[str, Descriptor]]


class _Pack:
    """One pass through the pipeline."""

    def __init__(
        self,
        request: PackRequest,
        progress: Progress,
        shared: SharedLayers = NOTHING_SHARED,
        agree: Agree | None = None,
    ) -> None:
        self._request, self._progress, self._shared = request, progress, shared
        self._agree = agree
        self._layout = Layout(request.layout)
        self._choice = choice.parse(request.builder)
        self._layers = ImageLayers(request, self._choice, self._layout, progress, shared)
        self._timings: dict[str, float] = {}
        self._git = Asking(request.project)
        self._ahead = NOTHING_SHARED
        """What is sent off before all is made."""

    def look(self) -> Outlook:
        """What the image would be made of, and by whom."""
        interpreter, resolution = self._begin()
        lock, report = resolution.look()
        told = self._report(report, interpreter)
        return Outlook(lock=lock, report=told, tasks=self._plan(lock, report))

    def run(self) -> Packed:
        """All steps. The project comes before a new environment: what is wrong with it is told
        before minutes of downloads, and what is packed was there when the command was given.
        """
        self._git.start()
        interpreter, resolution = self._begin()
        remembered = resolution.remembered()
        if remembered:
            # Where nothing is known of the environment, it may be refused yet.
            self._ahead = self._shared
        project, code = self._project(())
        made = None
        if remembered:
            made = self._if_unchanged(resolution, interpreter, remembered, project, code)
        if made is None:
            with self._timed("environment"):
                resolved = resolution.resolve(self._agree)
            made = self._images(interpreter, resolved, project, code)
        packed, names = made
        self._layout.tag_all(names)
        return packed

    def _if_unchanged(
        self,
        resolution: Resolution,
        interpreter: Interpreter,
        remembered: Resolved,
        project: Snapshot,
        code: tuple[Layer, ...],
    ) -> _Made | None:
        """What is remembered of the environment is believed while it is being looked at: nothing
        has a name before the answer is there.
        """
        try:
            made = self._images(interpreter, remembered, project, code)
        except SendoffError:
            if resolution.holds():
                raise
            return None
        with self._timed("environment"):
            return made if resolution.holds() else None

    def _images(
        self,
        interpreter: Interpreter,
        resolved: Resolved,
        project: Snapshot,
        code: tuple[Layer, ...],
    ) -> _Made:
        """Environment and run images, and the names that they are to get."""
        if self._agree:
            self._agree(resolved.report)
        if resolved.always:
            project, code = self._project(resolved.always)
        editables, editable_code = self._editables(resolved)
        lock = resolved.lock
        lock_digest = self._layout.write(encode(essence(lock)))
        base = self._request.base
        facts = [lock_digest, base.digest if base else NO_BASE, LAYOUT_VERSION]
        key = Digest.of(encode([*facts, *self._choice.labels.values()]))
        with self._timed("environment layers"):
            below = self._layers.environment(key, interpreter, resolved)
        with self._timed("runner layers"):
            runner = self._layers.runner(interpreter)
        with self._timed("images"):
            layers = (*below, *runner, *editable_code, *code, *self._layers.last())
            labels = {"lock": str(lock_digest), **self._choice.labels}
            environment = self._image(lock, below, labels)
            labels |= _sources(project, editables) | {"environment": str(environment.digest)}
            commands = self._request.commands
            images = [self._image(lock, layers, labels, command) for command in commands]
        names = self._names(key, environment, images)
        packed = Packed(
            images=tuple(one.digest for one in images),
            environment=environment.digest,
            snapshot=project.digest,
            lock=lock,
            lock_digest=lock_digest,
            layers=layers,
            tags={name: described.digest for name, described in names.items()},
            project=project,
            editables=editables,
            report=self._report(resolved.report, interpreter),
            tasks=self._plan(lock, resolved.report),
            revision=self._git.found(),
            base=f"{base.repository}@{base.digest}" if base else "",
            driver=base.driver if base else "",
            timings=self._timings,
        )
        return packed, names

    def _project(self, always: tuple[str, ...]) -> tuple[Snapshot, tuple[Layer, ...]]:
        tree = self._with(always) if always else self._plain
        return tree.snapshot, self._code(tree)

    @cached_property
    def _plain(self) -> Tree:
        """The project as its own rules have it."""
        return self._with(())

    def _with(self, always: tuple[str, ...]) -> Tree:
        return self._tree(self._request.project, image_paths.WORKSPACE, always)

    def _editables(self, resolved: Resolved) -> tuple[dict[str, Snapshot], tuple[Layer, ...]]:
        for each in resolved.editables:
            if not each.source.is_dir():
                raise EditableGone(each.name, str(each.source))
        trees = {
            each.name: self._tree(each.source, each.in_image, each.always)
            for each in sorted(resolved.editables, key=lambda each: each.in_image)
        }
        layers = self._code(*trees.values()) if trees else ()
        return {name: tree.snapshot for name, tree in trees.items()}, layers

    def _tree(self, source: Path, target: str, always: tuple[str, ...]) -> Tree:
        rules = snapshot.Rules(always=always, limit=self._request.limit)
        with self._timed("snapshot"):
            taken = snapshot.take(source, rules, cache=self._request.cache, progress=self._progress)
            if not self._layout.has(taken.digest, len(taken.listing)):
                self._layout.write(taken.listing)
        return Tree(snapshot=taken, source=source.resolve(), target=target)

    def _code(self, *trees: Tree) -> tuple[Layer, ...]:
        with self._timed("code layers"):
            memory = self._request.cache / MEMORY
            return code_layers.build(trees, self._layout, memory, self._progress, self._ahead)

    def _begin(self) -> tuple[Interpreter, Resolution]:
        """Have other processes look whether the environment is still what it was."""
        from packer.environment import interpreter
        from packer.environment.materials import Resolution
        from packer.environment.sandbox import Sandbox

        request = self._request
        with self._timed("environment"):
            found = interpreter.describe(interpreter.find(request.python), request.cache)
            self._check_base(found)
            sandbox = Sandbox(
                interpreter=found,
                project=request.project.resolve(),
                cache=request.cache,
                platform=request.platform or (request.base.platform if request.base else ""),
                base=request.base,
                builder=request.builder,
                build_apt=request.image.build_apt,
                build_cache=request.image.cache,
                cuda=request.cuda,
                taken=lambda: self._plain.snapshot,
            )
            return found, Resolution(sandbox, self._progress)

    def _plan(self, lock: Lock, report: EnvironmentReport) -> tuple[Task, ...]:
        return plan.plan(lock, report, self._steps, self._choice)

    @property
    def _steps(self) -> ImageSettings:
        """What is done to the base; nothing where there is none."""
        return self._request.image if self._request.base else ImageSettings()

    def _report(self, report: EnvironmentReport, interpreter: Interpreter) -> EnvironmentReport:
        warnings = cautions.of(self._request, interpreter, report.warnings)
        return replace(report, warnings=warnings)

    def _check_base(self, interpreter: Interpreter) -> None:
        base = self._request.base
        if base and base.minor != interpreter.minor:
            raise BasePythonDiffers(
                f"{base.repository}@{base.digest}", base.python_version, interpreter.version
            )

    def _image(
        self,
        lock: Lock,
        layers: tuple[Layer, ...],
        labels: Mapping[str, str],
        command: Command | None = None,
    ) -> Descriptor:
        command = command or Command()
        made = Image(
            layers=layers,
            platform=lock.platform,
            python=lock.python,
            base=self._request.base,
            command=command.arguments,
            environment=command.environment,
            labels={**labels, **({"request": command.request} if command.request else {})},
        )
        return image.write(made, self._layout, self._ahead.ahead)

    def _names(
        self, key: Digest, environment: Descriptor, images: Sequence[Descriptor]
    ) -> dict[str, Descriptor]:
        project = _tag_name(self._request.project.resolve().name)
        names = {f"env-{key.hex}": environment}
        return names | {f"{project}-{one.digest.hex[:12]}": one for one in images}

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._timings[step] = self._timings.get(step, 0) + time.perf_counter() - began


def _sources(project: Snapshot, editables: Mapping[str, Snapshot]) -> dict[str, str]:
    labels = {"snapshot": str(project.digest)}
    return labels | {f"editable.{name}": str(each.digest) for name, each in editables.items()}


def _tag_name(name: str) -> str:
    """`name` with the letters that a tag may have (distribution-spec, "Pulling manifests")."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return text.strip("-").lower()[:64] or "project"
