"""Editable installs (PEP 660): source used in place, and the files that make Python find it.

Those files hold paths of this machine: lines of a `.pth`, string constants of a finder module.
Each becomes an expression that gives the path in the image, below `SENDOFF_ROOT` where that is
set; everything else stays as the build backend wrote it.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from packer import image_paths
from packer.environment.editable_tree import EditableTree
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile
from packer.errors import DistUnresolvable, EditableGone, EditableOutsideProject
from packer.record import Record

_ROOT = '__import__("os").environ.get("SENDOFF_ROOT", "")'
_SOURCES = ("*.py", "*.so")
"""Importable wherever they lie: generated ones (versions, compiled modules) are often ignored by
git, and are part of the package all the same."""

_LINK_TREE = "__editable__."
"""setuptools' strict mode puts links to the source into such a directory."""

_REBUILDING = "_editable_loader"
"""meson-python's finder starts the build that lies beside the source."""


class InPlace(Record, frozen=True):
    """What makes source importable from where it is in the image."""

    replaced: dict[str, bytes] = {}
    """Path below the prefix → the content it has in the image."""
    trees: tuple[EditableTree, ...] = ()
    always: tuple[str, ...] = ()
    """As `EditableTree.always`, relative to the project."""


def of_distribution(installed: Installed, project: Path, packages: str) -> InPlace:
    """What an editable distribution needs.

    Raises:
        DistUnresolvable: its way of finding the source works on this machine only.
        EditableOutsideProject: its source lies around the project.
        EditableGone: its source is not there any more.
    """
    found = installed.distribution
    source = Path(unquote(urlsplit(found.source["url"]).path))
    places = _Places(found.name, source, project)
    top = [file for file in installed.files if file.path.rpartition("/")[0] == packages]
    modules = {Path(file.path).stem: file for file in top if file.path.endswith(".py")}
    replaced = {}
    for name, file in modules.items():
        if name.endswith(_REBUILDING):
            _refuse(found.name, "and its source is built again at each import", file.path)
        replaced[file.path] = _module(file, places)
    for file in top:
        if is_pth(file, packages):
            replaced[file.path] = _pth(file, places, frozenset(modules))
    if not places.used:
        if not source.is_dir():
            raise EditableGone(found.name, str(source))
        _refuse(found.name, "and nothing tells where its source is", found.metadata)
    return InPlace(replaced=replaced, trees=places.trees(), always=places.always())


def is_pth(file: InstalledFile, packages: str) -> bool:
    """Whether Python reads it at its start. Below a package `.pth` is a name for weights."""
    folder, _, name = file.path.rpartition("/")
    return folder == packages and name.endswith(".pth")


def of_pth(file: InstalledFile, project: Path) -> InPlace:
    """What a `.pth` of no editable distribution needs: the directories it names.

    Raises:
        EditableOutsideProject: one lies around the project.
    """
    places = _Places(Path(file.path).stem, None, project)
    content = _pth(file, places, None)
    return InPlace(
        replaced={file.path: content} if places.used else {},
        trees=places.trees(),
        always=places.always(),
    )


class _Places:
    """Where paths of this machine are in the image, and which of them were asked for."""

    def __init__(self, name: str, source: Path | None, project: Path) -> None:
        self.name = name
        self.used: list[Path] = []
        self._project = Path(os.path.realpath(project))
        self._source = Path(os.path.realpath(source)) if source else None
        self._trees: dict[Path, str] = {}

    def expression(self, path: Path) -> str:
        """Python that gives the place of `path` in the image."""
        real = Path(os.path.realpath(path))
        if any(part.startswith(_LINK_TREE) for part in real.parts):
            _refuse(self.name, "in strict mode, with links that hold on this machine only", real)
        self.used.append(real)
        return f"{_ROOT} + {self._in_image(real)!r}"

    def trees(self) -> tuple[EditableTree, ...]:
        """Everything outside the project that is to be packed."""
        return tuple(
            EditableTree(
                name=in_image.rpartition("/")[2],
                source=root,
                in_image=in_image,
                always=self._patterns(root),
            )
            for root, in_image in self._trees.items()
        )

    def always(self) -> tuple[str, ...]:
        """Patterns relative to the project."""
        return self._patterns(self._project)

    def _in_image(self, real: Path) -> str:
        if real.is_relative_to(self._project):
            return _join(image_paths.WORKSPACE, real.relative_to(self._project))
        root = self._root(real)
        if root not in self._trees:
            number = f"-{len(self._trees) + 1}" if self._trees else ""
            self._trees[root] = f"{image_paths.EDITABLE}/{self.name}{number}"
        return _join(self._trees[root], real.relative_to(root))

    def _root(self, real: Path) -> Path:
        """The tree that is packed for `real`: the source as a whole, unless that holds too much."""
        if self._source and real.is_relative_to(self._source) and not self._is_around(self._source):
            return self._source
        root = real if real.is_dir() else real.parent
        if self._is_around(root):
            raise EditableOutsideProject(self.name, str(root), str(self._project))
        return root

    def _is_around(self, folder: Path) -> bool:
        return self._project.is_relative_to(folder)

    def _patterns(self, root: Path) -> tuple[str, ...]:
        inside = [path for path in self.used if path.is_relative_to(root)]
        found = {pattern for path in inside for pattern in _importable(path, root)}
        return tuple(sorted(found))


def _join(base: str, relative: Path) -> str:
    return base if relative == Path() else f"{base}/{relative.as_posix()}"


def _importable(path: Path, root: Path) -> Iterator[str]:
    """Patterns, anchored at `root`, for what Python may import from `path`."""
    anchored = "/" + path.relative_to(root).as_posix() if path != root else ""
    if path.is_file():
        yield anchored
        return
    if anchored:
        yield from (f"{anchored}/**/{kind}" for kind in _SOURCES)
        return
    # At the top there are other things as well (build/, virtual environments): packages only.
    yield from (f"/{kind}" for kind in _SOURCES)
    for folder in path.iterdir():
        if (folder / "__init__.py").is_file():
            yield from (f"/{folder.name}/**/{kind}" for kind in _SOURCES)


def _pth(file: InstalledFile, places: _Places, hooks: frozenset[str] | None) -> bytes:
    """A `.pth` (library reference, `site`) with one line for all the directories it names.

    `hooks` are the modules that its `import` lines may use; None allows every line.
    """
    kept, expressions = [], []
    text = Path(file.source).read_text(encoding="utf-8-sig", errors="surrogateescape")
    folder = Path(file.source).parent
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if hook := re.match(r"import\s+([\w.]+)", line):
            if hooks is not None and hook[1] not in hooks:
                _refuse(places.name, "and it changes how Python imports in a way of its own", line)
            kept.append(line)
            continue
        path = Path(os.path.normpath(folder / line))
        if path.is_relative_to(folder):
            kept.append(str(path.relative_to(folder)))
        # Python overlooks a directory that is not there.
        elif path.is_dir():
            expressions.append(places.expression(path))
    if expressions:
        kept.append(f"import sys; sys.path.extend([{', '.join(expressions)}])")
    return "".join(f"{line}\n" for line in kept).encode("utf-8", "surrogateescape")


def _module(file: InstalledFile, places: _Places) -> bytes:
    """A finder module with each path of this machine made an expression."""
    source = Path(file.source).read_bytes()
    edits = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            path = Path(node.value)
            if path.is_absolute() and path.exists() and path != Path("/"):
                edits.append((_span(node, source), places.expression(path).encode()))
    for (start, end), expression in sorted(edits, reverse=True):
        source = source[:start] + expression + source[end:]
    return source


def _span(node: ast.Constant, source: bytes) -> tuple[int, int]:
    """First byte of a node and the byte after it; ast counts columns in UTF-8 bytes."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    last_line, last_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return starts[node.lineno - 1] + node.col_offset, starts[last_line - 1] + last_column


def _refuse(name: str, reason: str, seen: str | Path) -> NoReturn:
    remedy = "install it in full, from its directory: python -m pip install ."
    raise DistUnresolvable(name, f"it is installed as editable, {reason}", str(seen), remedy)
