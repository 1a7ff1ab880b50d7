"""The layer of a small Python program, with its bytecode: nobody can write any beside it later."""

from __future__ import annotations

from collections.abc import Mapping

from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.images.layout import Layout
from packer.layers import made_layer
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.layers.layer_memory import LayerMemory
from packer.layers.made_layer import Contents
from packer.layers.tree import MadeFile
from packer.record import encode


def build(
    files: Mapping[str, bytes], interpreter: Interpreter, layout: Layout, known: LayerMemory
) -> Layer:
    """The layer with these files (absolute in-image path → content) and the .pyc of each source.

    Raises:
        ProgramFailed: the interpreter does not compile.
        DiskFull
    """
    compiler = [interpreter.version, interpreter.magic, interpreter.cache_tag]
    facts = {path: Digest.of(data) for path, data in files.items()}
    key = Digest.of(encode(["program", LAYOUT_VERSION, compiler, facts]))
    layer = known.recall(key)
    if layer is None:
        compiled = {**files, **_bytecode(files, interpreter)}
        layer = made_layer.build(Contents(files=compiled), layout, known)
        known.remember(key, layer)
    return layer


def _bytecode(files: Mapping[str, bytes], interpreter: Interpreter) -> dict[str, bytes]:
    from packer.layers.bytecode import Compiler

    sources = [MadeFile(path[1:], data) for path, data in files.items() if path.endswith(".py")]
    with Compiler(interpreter, "") as compiler:
        made = zip(sources, compiler.compile(sources), strict=True)
        return {f"/{compiler.cached(each.path)}": bytes(pyc) for each, pyc in made if pyc}
