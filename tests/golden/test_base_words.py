"""What the front door says of base images."""

from __future__ import annotations

from packer.bases.errors import (
    BaseNotBuilt,
    BaseNotInCatalogue,
    BaseUnreadable,
    BaseWithoutPython,
    CatalogueMalformed,
)
from packer.errors import SendoffError
from packer.images.errors import BaseCudaDiffers
from packer.registry.errors import ReferrersContended
from sendoff.errors import BaseMissing, BaseNotPublished, BasesUnset
from sendoff.terminal import failure


def errors() -> list[SendoffError]:
    return [
        CatalogueMalformed("/p/catalogue.toml", "bases.cpu", "there is no Python 3.9"),
        CatalogueMalformed("/p/catalogue.toml", "", "[Errno 2] No such file or directory"),
        BaseNotInCatalogue("cuda", ("cpu", "cuda-runtime", "cuda-devel")),
        BaseWithoutPython("cpu", "3.10", ("3.11", "3.13")),
        BaseNotBuilt("cpu:3.11"),
        BaseUnreadable("cpu:3.11", "there is no package database var/lib/dpkg/status in it"),
        ReferrersContended("registry.example/base/cpu", "sha256-0123"),
        BaseMissing("kubernetes"),
        BasesUnset("cpu"),
        BaseNotPublished("cuda-devel", "registry.example/base/cuda-devel"),
        BaseCudaDiffers("cuda-devel", "13.0", "torch 2.9.1+cu128", "12.8", ["cuda-devel-12"]),
        BaseCudaDiffers("lab", "11.8", "torch 2.9.1+cu128", "12.8", []),
    ]


def test_errors(golden) -> None:
    texts = [
        "\n".join([f"{error.code}{' (retryable)' * error.retryable}", *failure.lines(error)])
        for error in errors()
    ]
    golden("words/base-errors.txt", "\n\n".join(texts) + "\n")
