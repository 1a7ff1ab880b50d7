from __future__ import annotations

from packer.digest import Digest
from packer.images.base import Base
from packer.layers import interpreter_layer

BASE = Base(
    digest=Digest.of(b"base"),
    repository="registry.example/base/cpu",
    platform="linux/amd64",
    layers=(),
    python="/usr/bin/python3.11",
    python_version="3.11.2",
)


def test_the_environment_is_a_virtual_one_of_the_bases_python():
    made = interpreter_layer.contents(BASE)
    assert made.links == {
        "/opt/sendoff/env/bin/python": "/usr/bin/python3.11",
        "/opt/sendoff/env/bin/python3": "/usr/bin/python3.11",
        "/opt/sendoff/env/bin/python3.11": "/usr/bin/python3.11",
    }
    assert made.files == {
        "/opt/sendoff/env/pyvenv.cfg": b"home = /usr/bin\n"
        b"include-system-site-packages = false\n"
        b"version = 3.11.2\n"
        b"executable = /usr/bin/python3.11\n"
    }
    assert made.directories == ("/opt/sendoff/env/lib/python3.11/site-packages",)
