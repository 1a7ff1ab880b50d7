"""The layer that makes an environment a virtual one of its base's interpreter (PEP 405)."""

from __future__ import annotations

from packer.image_paths import PREFIX, site_packages
from packer.images.base import Base
from packer.layers.made_layer import Contents


def contents(base: Base) -> Contents:
    """`bin/python` and its other names, `pyvenv.cfg`, and a folder for packages."""
    names = ("python", "python3", f"python{base.minor}")
    settings = {
        "home": base.python.rpartition("/")[0],
        "include-system-site-packages": "false",
        "version": base.python_version,
        "executable": base.python,
    }
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    return Contents(
        files={f"{PREFIX}/pyvenv.cfg": text.encode()},
        links={f"{PREFIX}/bin/{name}": base.python for name in names},
        directories=(f"{PREFIX}/{site_packages(base.minor)}",),
    )
