from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images import base, image
from packer.images.base import Base
from packer.images.errors import BaseUnusable
from packer.images.image import Image
from packer.layers.layer import Layer

LAYER = Layer(digest=Digest.of(b"packed"), diff_id=Digest.of(b"plain"), size=7)
OURS = {base.PYTHON_LABEL: "/usr/bin/python3.11", base.VERSION_LABEL: "3.11.2"}


def of(labels: dict[str, str] | None = None, *variables: str) -> Base:
    settings = {"Env": list(variables), "User": "1000:1000", "Labels": labels}
    digest = Digest.of(b"manifest")
    return base.of("registry.example/base/cpu", digest, "linux/amd64", (LAYER,), settings)


def test_a_labelled_base():
    found = of(OURS, "PATH=/usr/bin", "HOME=/home/user")
    assert (found.python, found.minor) == ("/usr/bin/python3.11", "3.11")
    assert found.layers == (LAYER,)
    assert (found.user, found.path) == ("1000:1000", "/usr/bin")


def test_what_it_tells_of_cuda():
    found = of({**OURS, base.CUDA_LABEL: "13.0", base.DRIVER_LABEL: "580.65.06"})
    assert (found.cuda, found.driver) == ("13.0", "580.65.06")
    found = of({**OURS, base.CUDA_LABEL: "thirteen", base.NAME_LABEL: "lab"})
    assert (found.cuda, found.driver, found.title) == ("", "", "lab")


def test_an_official_python_image_says_it_in_its_variables():
    found = of(None, "PYTHON_VERSION=3.12.4")
    assert (found.python, found.python_version) == ("/usr/local/bin/python3.12", "3.12.4")


@pytest.mark.parametrize("labels", [None, {base.PYTHON_LABEL: "/usr/bin/python3"}])
def test_what_does_not_say_where_its_python_is_is_refused(labels: dict[str, str] | None):
    with pytest.raises(BaseUnusable) as caught:
        of(labels)
    assert base.PYTHON_LABEL in caught.value.fix()


def test_an_image_lies_on_its_base(golden):
    above = Layer(digest=Digest.of(b"x"), diff_id=Digest.of(b"y"), size=9)
    made = Image(
        layers=(above,),
        platform="linux/amd64",
        python="3.11.7",
        base=of(OURS, "PATH=/usr/bin", "HOME=/home/user", "A=base"),
        command=("python", "train.py"),
        environment={"A": "1"},
    )
    config = image.config(made)
    golden("image-config-on-base.json", json.dumps(json.loads(config), indent=1) + "\n")
    layers = json.loads(image.manifest(made, config))["layers"]
    assert [layer["digest"] for layer in layers] == [LAYER.digest, above.digest]
