from __future__ import annotations

import importlib.util
import marshal
import py_compile
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from packer.environment.interpreter import Interpreter
from packer.layers.bytecode import Compiler
from packer.layers.tree import MadeFile
from packer.process import ProgramFailed
from tests.interpreters import running

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"

# Each line once made two compilations differ: shared sets, one-character strings, lambdas, the
# qualified names of classes inside others, small integers and bytes.
AWKWARD = b'''
"""A docstring."""
known = f({"ball", "tree", "auto"}) if x in {"ball", "tree", "auto"} else b"a" + b"a"
key = lambda item: "%%%s" % item, lambda: 1, [lambda: 300 for _ in (1, 2)]
class Outer:
    class Inner:
        choices = {"ball", "tree", "auto"}
        text = "Outer.Inner", "Outer.method.<locals>.Local"
    def method(self):
        class Local(self.Inner):
            size = 300, 300.0, -0.0, 1j, (1, (2, "a b")), ...
        return f"{self!r:%>3}", "-" if self else ".", {1, True, 2}, {1.0, 2}
'''


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    return running(tmp_path)


def compiled(interpreter: Interpreter, *sources: MadeFile) -> list[bytes | None]:
    with Compiler(interpreter) as compiler:
        return compiler.compile(sources)


def source(content: bytes, name: str = "m.py") -> MadeFile:
    return MadeFile(f"{SITE}/{name}", content)


def test_an_unchecked_hash_pyc_with_the_path_in_the_image(interpreter):
    (pyc,) = compiled(interpreter, source(b"def f(): pass\n"))
    assert pyc is not None
    assert pyc[:8] == importlib.util.MAGIC_NUMBER + b"\1\0\0\0"
    assert pyc[8:16] == importlib.util.source_hash(b"def f(): pass\n")
    code = marshal.loads(pyc[16:])  # noqa: S302
    assert code.co_filename == f"/opt/sendoff/env/{SITE}/m.py"
    assert code.co_consts[0].co_filename == code.co_filename


@pytest.mark.parametrize(
    "broken", [b"def f(:\n", b"a\0b", b"# coding: nothing\n", b"'\xff'", b"(" * 2000 + b")" * 2000]
)
def test_what_does_not_compile_has_no_pyc(interpreter, broken):
    good = source(b"1\n", "good.py")
    assert [pyc is None for pyc in compiled(interpreter, source(broken), good)] == [True, False]


@pytest.mark.parametrize("mode", list(py_compile.PycInvalidationMode))
def test_the_sandboxs_pyc_gives_the_same_bytes(interpreter, tmp_path, mode):
    fresh = compiled(interpreter, source(AWKWARD))
    installed = tmp_path / "site" / "m.py"
    installed.parent.mkdir()
    installed.write_bytes(AWKWARD)
    program = (
        "import py_compile, sys\n"
        "for name in ['Outer.Inner', '<lambda>', '%', 'ball', 'Outer.method.<locals>.Local']:\n"
        "    sys.intern(name)\n"
        "py_compile.compile(sys.argv[1], invalidation_mode="
        f"py_compile.PycInvalidationMode.{mode.name})"
    )
    subprocess.run([sys.executable, "-c", program, installed], check=True)
    assert compiled(interpreter, source(AWKWARD)) == fresh
    assert compiled(interpreter, *[source(AWKWARD)] * 3) == fresh * 3


def test_the_sandboxs_pyc_is_taken_only_for_the_same_source(interpreter, tmp_path):
    installed = tmp_path / "site" / "m.py"
    installed.parent.mkdir()
    installed.write_bytes(b"x = 1\n")
    marked = compile("marked", "m", "exec")
    target = Path(importlib.util.cache_from_source(str(installed)))
    target.parent.mkdir()

    def plant(flags: int, check: bytes) -> None:
        head = importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + check
        target.write_bytes(head + marshal.dumps(marked))

    def taken(content: bytes = b"x = 1\n") -> bool:
        (pyc,) = compiled(interpreter, source(content))
        return pyc is not None and "marked" in marshal.loads(pyc[16:]).co_names  # noqa: S302

    modified = int(installed.stat().st_mtime).to_bytes(4, "little")
    plant(0, modified + (6).to_bytes(4, "little"))
    assert taken()
    assert not taken(b"x = 2\n")
    plant(0, bytes(4) + (6).to_bytes(4, "little"))
    assert not taken()
    plant(1, importlib.util.source_hash(b"x = 1\n"))
    assert taken()
    plant(1, importlib.util.source_hash(b"x = 2\n"))
    assert not taken()
    target.write_bytes(b"cut")
    assert not taken()


def test_an_interpreter_that_dies_is_named(interpreter, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 3\n")
    broken.chmod(0o755)
    dying = msgspec.structs.replace(interpreter, executable=str(broken))
    with pytest.raises(ProgramFailed) as caught:
        compiled(dying, source(b"1\n"))
    assert caught.value.status == 3
    assert "out of luck" in caught.value.evidence()


def test_nothing_is_started_for_nothing(interpreter):
    assert compiled(interpreter) == []
