"""The texts that BuildKit is given: pure functions with golden files."""

from __future__ import annotations

from packer.building import environment_dockerfile, extension, source_dockerfile
from packer.building.image_settings import ImageSettings
from packer.digest import Digest
from packer.environment.lock import Lock, WheelPin
from packer.images.base import Base
from packer.layers import environment_plan

BASE = Base(
    digest=Digest.of(b"base"),
    repository="registry.example/base/cpu",
    platform="linux/amd64",
    layers=(),
    python="/usr/bin/python3.11",
    python_version="3.11.2",
    user="1000:1000",
)


def test_an_environment(golden) -> None:
    wheels = tuple(
        WheelPin(
            name=name,
            version="1.0",
            filename=f"{name}-1.0-py3-none-any.whl",
            sha256="0" * 64,
            size=size,
        )
        for size, name in enumerate([f"package-{number:02}" for number in range(60)])
    )
    lock = Lock(python="3.11.2", platform="linux/amd64", wheels=wheels)
    reference = f"{BASE.repository}@{BASE.digest}"
    text = environment_dockerfile.render(environment_plan.plan(lock), reference, BASE.python)
    golden("buildkit/environment.Dockerfile", text)


def test_a_source(golden) -> None:
    text = source_dockerfile.render(BASE, compiles=True, packages=("libpq-dev",), version="1.7")
    golden("buildkit/source.Dockerfile", text)


def test_a_source_that_needs_no_compiler(golden) -> None:
    text = source_dockerfile.render(BASE, compiles=False, packages=(), version="1.7")
    golden("buildkit/pure-source.Dockerfile", text)


def test_a_base_with_steps_upon_it(golden) -> None:
    steps = ImageSettings(
        apt=("file", "libpq5"),
        run=("make install", "cat <<END\n$HOME\nEND", "echo \\", '["a"]'),
        secrets=("TOKEN",),
    )
    golden("buildkit/extension.Dockerfile", extension.dockerfile(BASE, steps))


def test_its_name_depends_on_what_decides_it() -> None:
    steps = [
        ImageSettings(apt=("file",)),
        ImageSettings(run=("file",)),
        ImageSettings(apt=("file",), run=("true",)),
    ]
    names = {extension.tag(BASE, each) for each in steps}
    assert len(names) == 3
    assert extension.tag(BASE, ImageSettings(apt=("file",), cache="r.example/c")) in names
    assert all(len(name) == len("base-") + 64 for name in names)
