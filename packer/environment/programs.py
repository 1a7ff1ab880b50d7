"""Programs of an environment's `bin/`: what an installer made of them, and back."""

from __future__ import annotations

import re

from packer.layers import scripts

_SHELL = re.compile(rb"#!/bin/sh\n'''exec' [^\n]*\n' '''\n")
"""How pip and uv start an interpreter whose path is too long or holds a space."""

_PYTHON = re.compile(rb"#![^\n]*/bin/python[0-9.]*w?[^\n]*\n")
_LINE = b"#!python\n"


def unplaced(program: bytes) -> bytes:
    """A program as it was in its wheel: with `#!python` for the interpreter of this machine."""
    for pattern in (_SHELL, _PYTHON):
        found = pattern.match(program)
        if found:
            return _LINE + program[found.end() :]
    return program


def relocated(program: bytes) -> bytes:
    """A program as it works in an image, wherever that is unpacked."""
    return scripts.placed(unplaced(program))
