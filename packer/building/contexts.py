"""The directories that a build is given: what goes into a layer, and what installs it."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packer import image_paths
from packer.digest import Digest
from packer.environment.lock import PinnedFile
from packer.layers import bytecode_worker, scripts
from packer.layers.environment_plan import LayerPlan
from packer.record import encode
from packer.wheels import verification
from packer.wheels.errors import FileAltered

_PROGRAMS = (
    Path(__file__).with_name("layer_installer.py"),
    Path(bytecode_worker.__file__),
    Path(scripts.__file__),
)


def installer(place: Path) -> Path:
    """The program that installs a layer, at `place`."""
    place.mkdir()
    for program in _PROGRAMS:
        shutil.copyfile(program, place / program.name)
    return place


def layer(
    place: Path,
    plan: LayerPlan,
    minor: str,
    wheels: Mapping[str, Path],
    files: Mapping[str, Path | bytes],
) -> Path:
    """What goes into a layer, at `place`. `wheels` and `files` are by sha256.

    Raises:
        WheelHashMismatch: of a wheel.
        FileAltered: of an installed file.
    """
    (place / "wheels").mkdir(parents=True)
    (place / "files").mkdir()
    for pin in plan.wheels:
        path = wheels[pin.sha256]
        verification.require(pin, path)
        _link(path, place / "wheels" / pin.filename)
    for file in _pinned(plan):
        source, target = files[file.sha256], place / "files" / file.sha256
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
        if Digest.of_file(target).hex != file.sha256:
            raise FileAltered(str(source) if isinstance(source, Path) else file.path)
    (place / "plan.json").write_bytes(encode(_as_told(plan, minor)))
    return place


def _pinned(plan: LayerPlan) -> list[PinnedFile]:
    return [*(file for pin in plan.files for file in pin.files), *plan.overlay]


def _as_told(plan: LayerPlan, minor: str) -> dict[str, Any]:
    """What the installer reads."""
    return {
        "minor": minor,
        "prefix": image_paths.PREFIX,
        "removed": list(plan.removed),
        "wheels": [{"name": pin.name, "filename": pin.filename} for pin in plan.wheels],
        "files": [
            {
                # File names need not be text.
                "path": base64.b64encode(os.fsencode(file.path)).decode(),
                "sha256": file.sha256,
                "executable": file.executable,
            }
            for file in _pinned(plan)
        ],
    }


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
