"""Words of a command that are files of this machine, where the image is to be used. Pure but for
looks at what is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_SYSTEM = ("/bin/", "/sbin/", "/usr/", "/opt/", "/nix/")
"""Where the operating system's programs are, which the local target lends."""


def told(command: Sequence[str], project: Path) -> Iterator[str]:
    """What to say of each absolute path that stands for something which the image has too.

    Such as the interpreter of a virtual environment, or a script of the project: a command with
    them runs, on this machine, what may be another thing tomorrow. Data are nobody's concern here.
    """
    for place, word in enumerate(command):
        path = Path(os.path.normpath(word))
        if not path.is_absolute() or not path.is_file():
            continue
        if path.is_relative_to(project) and path.suffix == ".py":
            yield _said(word, f"write {path.relative_to(project)}")
        elif place == 0 and (path.parent.parent / "pyvenv.cfg").is_file():
            yield _said(word, f"write {path.name}")
        elif path.suffix == ".py" or (place == 0 and not str(path).startswith(_SYSTEM)):
            yield _said(word, "copy it into the project")


def _said(word: str, instead: str) -> str:
    return f"{word} is this machine's file, not the image's: {instead}"
