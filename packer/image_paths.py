"""Where things are inside every image: one place that names the paths.

All are absolute. On the `local` target they live below a root of the run's own, named by the
environment variable `SENDOFF_ROOT` (empty in a container).
"""

from __future__ import annotations

PREFIX = "/opt/sendoff/env"
"""The environment: `bin/`, `lib/pythonX.Y/site-packages/`, laid out as a virtual environment."""

RUNNER = "/opt/sendoff/runner"
"""The runner's own files; never on the experiment's import path."""

RUNNER_PROGRAM = f"{RUNNER}/__main__.py"
"""What starts the runner. Naming the folder would do too, and load Python's own `runpy`."""

EDITABLE = "/opt/sendoff/editable"
"""Source trees of editable installs that lie outside the project, one folder for each."""

WORKSPACE = "/workspace"
"""The project's files, and the command's working directory."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def site_packages(python: str) -> str:
    """Where distributions are importable from, below `PREFIX`; `python` is a minor: "3.11"."""
    return f"lib/python{python}/site-packages"


def headers(python: str, name: str) -> str:
    """Where the C headers of the distribution `name` (normalized) are, below `PREFIX`."""
    return f"include/site/python{python}/{name}"
