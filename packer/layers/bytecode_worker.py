"""Canonical bytecode, made by the interpreter that will run it. Imports nothing of ours.

Started by `packer.layers.bytecode` with the target's interpreter. A request is a marshalled list;
each of its items is the name `installed` or `compiled` and its arguments. An answer is the size of
each item's .pyc, 0 where there is none, and all their contents. Sizes are four bytes,
little-endian, as is that of the whole in front of each request and answer.

Canonical: `marshal` sets FLAG_REF on an object where someone else refers to it too, and for an
interned string or a small constant that depends on all else in the process. So everything that
can be shared is referred to from here while it is written. Compiled afresh or read from a
sandbox's .pyc, a source then has one form.
"""

from __future__ import annotations

import _imp
import binascii
import gc
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, cache_from_source
from types import CodeType

_NO_NAME = "-"
"""Compiled under this name, so that a source gets its own in one way only."""

_UNCHECKED_HASH = 1
_CHECKED_HASH = 3
_HEADER = 16
_BUFFER = 1 << 20
_RAW_MAGIC = int.from_bytes(MAGIC_NUMBER, "little")

# Before 3.12 one-character strings are shared, and whether one is interned depends on who did so.
for _number in range(256):
    sys.intern(chr(_number))


def installed(path: str, sandbox_path: str, size: int, crc: int) -> bytes | None:
    """The .pyc for `path` in the image, from the sandbox's own.

    None where the sandbox has none, or its source is not the one of this size and CRC-32.
    """
    try:
        source = _read(sandbox_path)
        if len(source) != size or binascii.crc32(source) != crc:
            return None
        data = _read(cache_from_source(sandbox_path, optimization=""))
        if data[:4] != MAGIC_NUMBER or not _fits(data[4:_HEADER], source, sandbox_path):
            return None
        code = marshal.loads(memoryview(data)[_HEADER:])  # noqa: S302
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return _pyc(code, source, path) if isinstance(code, CodeType) else None


def compiled(path: str, source: bytes) -> bytes | None:
    """The .pyc for `path` in the image, from its source; None where that does not compile."""
    try:
        code = compile(source, _NO_NAME, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    # The compiler makes one-character strings that are not the shared ones; reading does not.
    return _pyc(marshal.loads(marshal.dumps(code)), source, path)  # noqa: S302


def canonical(code: CodeType) -> bytes:
    """`code` marshalled to bytes that depend on its value alone."""
    objects = _Objects(code)
    if objects.unsteady:
        # The code before stays whole: the caller refers to it, so that what both share is shared.
        code = objects.steadied(code)
    return marshal.dumps(code)


def _pyc(code: CodeType, source: bytes, path: str) -> bytes:
    """An unchecked-hash .pyc (PEP 552)."""
    _imp._fix_co_filename(code, sys.intern(path))  # type: ignore[attr-defined]  # noqa: SLF001
    header = MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little")
    return header + _imp.source_hash(_RAW_MAGIC, source) + canonical(code)


class _Objects:
    """References to all that `marshal` may find shared in a code object."""

    def __init__(self, code: CodeType) -> None:
        self._held: list[object] = []
        self._sets: set[object] = set()
        self.unsteady: set[object] = set()
        """Values whose sharing, left to the compiler, depends on what was interned before: sets
        in two functions (CPython, codeobject.c, `intern_string_constants`), names such as
        `<lambda>`, and the qualified name of a class within another, a constant too.
        """
        self._hold(code)

    def _hold(self, code: CodeType) -> None:
        constants, name = code.co_consts, code.co_name
        qualname = getattr(code, "co_qualname", name)  # since 3.11
        self._held += code.co_names
        self._held += code.co_varnames
        self._held += code.co_cellvars
        self._held += code.co_freevars
        self._held += constants
        self._held += (name, qualname, code.co_filename)
        if name[0] == "<" and name != "<module>":
            self.unsteady.add(name)
        elif qualname != name and qualname in constants:
            self.unsteady.add(qualname)
        for constant in constants:
            kind = type(constant)
            if kind is CodeType:
                self._hold(constant)
            elif kind is tuple:
                self._hold_items(constant)
            elif kind is frozenset:
                self._hold_items(constant)
                (self.unsteady if constant in self._sets else self._sets).add(constant)

    def _hold_items(self, items: tuple[object, ...] | frozenset[object]) -> None:
        self._held += items
        for item in items:
            if isinstance(item, tuple):
                self._hold_items(item)

    def steadied(self, code: CodeType) -> CodeType:
        """`code` with each unsteady string interned and each unsteady set in one function only.

        What is new in it is referred to from here as well.
        """
        unsteady = self.unsteady
        constants, touched = [], code.co_name in unsteady
        for constant in code.co_consts:
            steady, kind = constant, type(constant)
            if kind is CodeType:
                steady = self.steadied(constant)
            elif kind is frozenset and constant in unsteady:
                steady = frozenset([*constant])
            elif kind is str and constant in unsteady:
                steady, touched = sys.intern(constant), True
            constants.append(steady)
            touched = touched or steady is not constant
        if not touched:
            return code
        names = {"co_name": sys.intern(code.co_name)}
        if hasattr(code, "co_qualname"):
            names["co_qualname"] = sys.intern(code.co_qualname)
        self._held += constants
        self._held += names.values()
        return code.replace(co_consts=tuple(constants), **names)  # type: ignore[arg-type]


def _fits(header: bytes, source: bytes, sandbox_path: str) -> bool:
    flags = int.from_bytes(header[:4], "little")
    if flags in (_UNCHECKED_HASH, _CHECKED_HASH):
        return header[4:] == _imp.source_hash(_RAW_MAGIC, source)
    modified = int(os.stat(sandbox_path).st_mtime) & 0xFFFFFFFF  # noqa: PTH116 (pathlib costs)
    size = len(source) & 0xFFFFFFFF
    return flags == 0 and header[4:] == modified.to_bytes(4, "little") + size.to_bytes(4, "little")


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size + 1)
    finally:
        os.close(descriptor)


def _serve() -> None:
    gc.disable()
    with open(0, "rb") as requests, open(1, "wb", _BUFFER) as answers:
        while head := requests.read(4):
            items = marshal.loads(requests.read(int.from_bytes(head, "little")))  # noqa: S302
            made = [
                installed(*rest) if maker == "installed" else compiled(*rest)
                for maker, *rest in items
            ]
            answers.writelines(_answer(made))
            answers.flush()


def _answer(made: list[bytes | None]) -> list[bytes]:
    """It in pieces: megabytes, of which each further copy would count."""
    contents = [pyc or b"" for pyc in made]
    sizes = [len(content) for content in contents]
    whole = 4 * len(sizes) + sum(sizes)
    return [size.to_bytes(4, "little") for size in (whole, *sizes)] + contents


if __name__ == "__main__":
    _serve()
