"""The programs in an environment's `bin/`. They work wherever the environment's tree is.

A `#!` line needs an absolute path, and on the `local` target the tree has another root for each
environment; so the shell starts the `python` beside the script, which is what a relocatable
virtual environment of uv has.
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigError

_SHELL = b"#!/bin/sh\n"
_EXEC = b"""'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
"""
_ENCODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
"""PEP 263: counts in the first two lines only."""

_LAUNCHER = """\
# -*- coding: utf-8 -*-
import sys
from {module} import {name}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({function}())
"""


def launchers(entry_points: str) -> dict[str, bytes]:
    """Name → program, for the console and GUI scripts of an `entry_points.txt`.

    Raises:
        ValueError: the text is not in the form of the specification (PyPA, entry-points).
    """
    parser = ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(entry_points)
    except ConfigError as error:
        raise ValueError(f"entry_points.txt: {error}") from error
    return {
        name: _launcher(name, reference)
        for section in ("console_scripts", "gui_scripts")
        if parser.has_section(section)
        for name, reference in parser.items(section)
    }


def placed(script: bytes) -> bytes:
    """A script of a wheel's `.data/scripts/`, its `#!python` line as it must be in the image.

    The line's arguments are dropped, as uv does. An encoding declared below it moves up, because
    the lines for the shell would push it out of Python's sight.
    """
    if not script.startswith(b"#!python"):
        return script
    body = script.partition(b"\n")[2]
    declared = _ENCODING.match(body)
    encoding = b"# coding: " + declared[1] + b"\n" if declared else b""
    return _SHELL + encoding + _EXEC + body


def _launcher(name: str, reference: str) -> bytes:
    target = reference.partition("[")[0]
    module, colon, function = (part.strip() for part in target.partition(":"))
    if not colon or not all(map(str.isidentifier, (*module.split("."), *function.split(".")))):
        raise ValueError(f"entry_points.txt: {name} = {reference} names no function")
    source = _LAUNCHER.format(module=module, name=function.split(".")[0], function=function)
    return _SHELL + _EXEC + source.encode()
