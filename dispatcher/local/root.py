"""The environment of an image on this machine: its layers' files, put together by hard links."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from dispatcher.local.workspace import remove
from packer import disk, process
from packer.environment.interpreter import Interpreter
from packer.image_paths import PREFIX, RUNNER

_VERSION = b"sendoff.root/1"
_PARTS = (PREFIX[1:], RUNNER[1:])


class RootCache:
    """The folders below `root`, one for each sequence of layers and host interpreter.

    Nothing in them is ever written again. All their files are those of the layer cache.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, layers: Sequence[Path], interpreter: Interpreter) -> Path | None:
        """The folder that holds these unpacked layers; None where it was not made yet."""
        path = self._path(layers, interpreter)
        return path if path.is_dir() else None

    def make(self, layers: Sequence[Path], interpreter: Interpreter) -> None:
        """Put these unpacked layers together, the later over the earlier, unless that was done.

        Raises:
            DiskFull
        """
        path = self._path(layers, interpreter)
        if path.is_dir():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        with (
            disk.room("an environment", self.root),
            disk.locked(self.root / f".{path.name}.lock"),
        ):
            if not path.is_dir():
                self._build(path, layers, interpreter)

    def _path(self, layers: Sequence[Path], interpreter: Interpreter) -> Path:
        facts = [layer.name for layer in layers if _is_shared(layer)]
        facts += [interpreter.base_executable, interpreter.version]
        return self.root / hashlib.sha256(_VERSION + os.fsencode("\0".join(facts))).hexdigest()[:32]

    def _build(self, path: Path, layers: Sequence[Path], interpreter: Interpreter) -> None:
        temporary = self.root / f".{path.name}.incoming"
        remove(str(temporary))
        try:
            folders = _link(layers, str(temporary))
            _add_python(temporary, interpreter)
            _compile_runner(temporary)
            for folder in folders:
                Path(folder).chmod(0o555)
            temporary.rename(path)
        finally:
            remove(str(temporary))


def _is_shared(layer: Path) -> bool:
    return any(os.path.isdir(f"{layer}/{part}") for part in _PARTS)


def _link(layers: Sequence[Path], root: str) -> list[str]:
    """Link every file of the parts; returns the folders made below them, top first."""
    made: dict[str, None] = {}
    for part in _PARTS:
        os.makedirs(f"{root}/{part}", exist_ok=True)
        made[f"{root}/{part}"] = None
    for layer in layers:
        pending = [part for part in _PARTS if os.path.isdir(f"{layer}/{part}")]
        while pending:
            folder = pending.pop()
            target = f"{root}/{folder}"
            if target not in made:
                os.mkdir(target)
                made[target] = None
            for entry in os.scandir(f"{layer}/{folder}"):
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{folder}/{entry.name}")
                else:
                    _link_one(entry.path, f"{target}/{entry.name}")
    return list(made)


def _link_one(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        os.unlink(target)
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        # Too many links to one file: 65,000 on ext4.
        if error.errno != errno.EMLINK:
            raise
        import shutil

        shutil.copy2(source, target, follow_symlinks=False)


def _add_python(root: Path, interpreter: Interpreter) -> None:
    """Make the environment a virtual one of the host's interpreter (PEP 405)."""
    prefix = root / PREFIX[1:]
    (prefix / "bin").mkdir(exist_ok=True)
    for name in ("python", "python3", f"python{interpreter.minor}"):
        link = prefix / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(interpreter.base_executable)
    (prefix / "pyvenv.cfg").write_text(
        f"home = {Path(interpreter.base_executable).parent}\n"
        "include-system-site-packages = false\n"
        f"version = {interpreter.version}\n"
        f"executable = {interpreter.base_executable}\n"
    )
    (prefix / "lib" / f"python{interpreter.minor}" / "site-packages").mkdir(
        parents=True, exist_ok=True
    )


def _compile_runner(root: Path) -> None:
    """Keep the runner's byte code beside it, so that no start of a run pays for compiling."""
    python = str(root / PREFIX[1:] / "bin/python")
    mode = ["--invalidation-mode", "unchecked-hash"]
    process.run([python, "-I", "-S", "-m", "compileall", "-q", *mode, str(root / RUNNER[1:])])
