"""The Dockerfile that makes a wheel of a source. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from packer.image_paths import PREFIX, SYSTEM_PATH
from packer.images.base import Base

_OUT = "/sendoff/wheels"
# Wheels are zip files, whose times begin in 1980.
_EPOCH = 315532800
# Of a list that cannot be fetched apt says no more than a warning, and later that it knows no
# package of that name.
_UPDATE = "apt-get -o APT::Update::Error-Mode=any update"


def render(base: Base, *, compiles: bool, packages: Sequence[str], version: str) -> str:
    """A stage with the tools, one that builds without a network, and an image of the wheel.

    Contexts: `installer`, `requirements` (as a layer's), `maker`, `plan`, `source`.
    """
    return "\n".join(
        [
            f"FROM {base.repository}@{base.digest} AS tools\nUSER 0\n"
            + (_compiler(base) if compiles else "")
            + (install(packages) if packages else ""),
            "FROM tools AS built\n"
            + _environment(base)
            + f"ENV PATH={PREFIX}/bin:{SYSTEM_PATH} SOURCE_DATE_EPOCH={_EPOCH} \\\n"
            # No tool that reads a version from a repository finds one here.
            f"    SETUPTOOLS_SCM_PRETEND_VERSION={version} PBR_VERSION={version}\n"
            "RUN --network=none \\\n"
            "    --mount=type=bind,from=maker,target=/sendoff/maker \\\n"
            "    --mount=type=bind,from=plan,target=/sendoff/plan \\\n"
            "    --mount=type=bind,from=source,target=/sendoff/source \\\n"
            f"    python /sendoff/maker/wheel_maker.py /sendoff/plan/plan.json /sendoff/source"
            f" {_OUT}\n",
            f"FROM scratch\nCOPY --from=built {_OUT}/ /\n",
        ]
    )


def install(packages: Sequence[str]) -> str:
    """The step that installs Debian packages, and leaves nothing of apt behind."""
    names = " ".join(packages)
    return (
        f"RUN {_UPDATE} \\\n"
        f" && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {names} "
        "\\\n"
        " && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache"
        " /var/log/apt /var/log/dpkg.log /var/log/alternatives.log\n"
    )


def _compiler(base: Base) -> str:
    """A compiler and Python's headers, where the base lacks them."""
    headers = "import sysconfig, os; exit(not os.path.exists(sysconfig.get_path('include')"
    check = f"{base.python} -I -c \"{headers} + '/Python.h'))\""
    names = ["gcc", "g++", "libc6-dev", "make", "pkg-config"]
    # Debian's own Python has its headers in a package; others bring them along.
    if base.python.startswith("/usr/bin/"):
        names.append(f"python{base.minor}-dev")
    return (
        f"RUN if ! command -v cc >/dev/null || ! {check}; then \\\n"
        f"      {_UPDATE} \\\n"
        "   && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
        f" {' '.join(names)} \\\n"
        "   && rm -rf /var/lib/apt/lists/*; \\\n"
        "    fi\n"
    )


def _environment(base: Base) -> str:
    """The build requirements, in a virtual environment of the base's interpreter."""
    program = "/sendoff/installer/layer_installer.py"
    command = [base.python, "-I", "-S", "-B", "-W", "ignore", program, "/sendoff/layer", "/"]
    settings = f"home = {base.python.rpartition('/')[0]}\\ninclude-system-site-packages = false\\n"
    return (
        "RUN --network=none \\\n"
        "    --mount=type=bind,from=installer,target=/sendoff/installer \\\n"
        "    --mount=type=bind,from=requirements,target=/sendoff/layer \\\n"
        f"    {json.dumps(command)}\n"
        f"RUN mkdir -p {PREFIX}/bin && ln -s {base.python} {PREFIX}/bin/python"
        f" && ln -s python {PREFIX}/bin/python3 \\\n"
        f" && printf '{settings}' > {PREFIX}/pyvenv.cfg\n"
    )
