"""Canonical bytecode, made by the interpreter that will run it. Imports nothing of ours.

Started by `packer.bytecode` with the target's interpreter. A request is four bytes of length and a
marshalled list of (source, path in the image, path in the sandbox or ""); the answer has the same
form and holds for each the content of its .pyc, or None where the source does not compile.

Canonical: `marshal` sets FLAG_REF on an object where someone else refers to it too, and for an
interned string or a small constant that depends on all else in the process. So everything is
referred to from here while it is written. Compiled afresh or read from a sandbox's .pyc, a source
then has one form.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, cache_from_source
from types import CodeType

_UNCHECKED_HASH = 1
_CHECKED_HASH = 3
_HEADER = 16
_RAW_MAGIC = int.from_bytes(MAGIC_NUMBER, "little")

# Before 3.12 one-character strings are shared, and whether one is interned depends on who did so.
for _number in range(256):
    sys.intern(chr(_number))


def bytecode(source: bytes, path: str, sandbox_path: str) -> bytes | None:
    """The unchecked-hash .pyc (PEP 552) of `source`, which is `path` in the image."""
    path = sys.intern(path)
    code = _installed(source, sandbox_path) if sandbox_path else None
    if code is None:
        code = _compiled(source, path)
    if code is None:
        return None
    _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]  # noqa: SLF001
    header = MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little")
    return header + _imp.source_hash(_RAW_MAGIC, source) + canonical(code)


def canonical(code: CodeType) -> bytes:
    """`code` marshalled to bytes that depend on its value alone."""
    held: list[object] = []
    _hold(code, held)
    return marshal.dumps(code)


def _hold(value: object, held: list[object]) -> None:
    held.append(value)
    if isinstance(value, CodeType):
        for names in (value.co_names, value.co_varnames, value.co_cellvars, value.co_freevars):
            held.extend(names)
        held += (value.co_name, value.co_filename)
        held.append(getattr(value, "co_qualname", ""))  # since 3.11
        for constant in value.co_consts:
            _hold(constant, held)
    elif isinstance(value, (tuple, frozenset)):
        for constant in value:
            _hold(constant, held)


def _compiled(source: bytes, path: str) -> CodeType | None:
    try:
        return compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _installed(source: bytes, sandbox_path: str) -> CodeType | None:
    """What the sandbox compiled, if that is of the very same source."""
    try:
        if _read(sandbox_path) != source:
            return None
        data = _read(cache_from_source(sandbox_path, optimization=""))
        if data[:4] != MAGIC_NUMBER or not _fits(data[4:_HEADER], source, sandbox_path):
            return None
        code = marshal.loads(memoryview(data)[_HEADER:])  # noqa: S302
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


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
        data = os.read(descriptor, os.fstat(descriptor).st_size + 1)
    finally:
        os.close(descriptor)
    return data


def _serve() -> None:
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := requests.read(4):
        sources = marshal.loads(requests.read(int.from_bytes(head, "little")))  # noqa: S302
        answer = marshal.dumps([bytecode(*source) for source in sources], 2)
        answers.write(len(answer).to_bytes(4, "little") + answer)
        answers.flush()


if __name__ == "__main__":
    _serve()
