"""The runner's own libraries: importable in this process, never by the command.

They lie below the runner in the image, laid out as in an environment, where nothing but the lines
below looks.
"""

from __future__ import annotations

import importlib.util
import os
import sys

_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_RUNNER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARY = f"{_RUNNER}/lib/{_PYTHON}/site-packages"


def use_library() -> None:
    """Make minio importable, without what only its administration client would need.

    `minio/__init__.py` imports that client, and so argon2, pycryptodome and cffi: compiled for one
    version of Python, and never used here. It is the one file of minio that is not run; what it
    would set is set below. Nobody else is in this process to miss the rest.
    """
    if not os.path.isdir(_LIBRARY) or _LIBRARY in sys.path:
        return
    sys.path.append(_LIBRARY)
    specification = importlib.util.find_spec("minio")
    if specification is None:
        raise ImportError(f"there is no minio in {_LIBRARY}")
    package = importlib.util.module_from_spec(specification)
    # minio/helpers.py puts them in its User-Agent.
    package.__title__, package.__version__ = "minio-py", "7"  # type: ignore[attr-defined]
    sys.modules["minio"] = package
