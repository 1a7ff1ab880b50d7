"""Which layers are worth having ahead of time."""

from __future__ import annotations

from packer.digest import Digest
from packer.images.base import Base
from packer.images.image import LABEL
from packer.images.popular import WORTH, popular
from packer.layers.layer import Layer


def layer(name: str, megabytes: int = 10) -> Layer:
    digest = Digest.of(name.encode())
    return Layer(digest=digest, diff_id=digest, size=megabytes * WORTH)


def image(name: str, *layers: Layer, base: Base | None = None) -> Base:
    return Base(
        digest=Digest.of(f"image {name}".encode()),
        repository="registry.example/runs",
        platform="linux/amd64",
        layers=(*(base.layers if base else ()), *layers),
        python="/usr/bin/python3.11",
        python_version="3.11.2",
        labels={f"{LABEL}base": base.digest} if base else {},
    )


BASE = image("base", layer("system", 40))
TORCH, NUMPY, PANDAS, JAX = layer("torch", 800), layer("numpy"), layer("pandas", 12), layer("jax")
LINK = Layer(digest=Digest.of(b"link"), diff_id=Digest.of(b"link"), size=300)


def test_the_most_used_first_and_of_as_many_the_largest():
    environments = [
        image("a", TORCH, NUMPY, LINK, base=BASE),
        image("b", TORCH, PANDAS, NUMPY, LINK, base=BASE),
        image("c", NUMPY, JAX, LINK, base=BASE),
    ]
    assert popular(environments, BASE, 1) == (NUMPY,)
    assert set(popular(environments, BASE, 3)) == {NUMPY, TORCH, PANDAS}
    assert set(popular(environments, BASE, 9)) == {NUMPY, TORCH, PANDAS, JAX}, "not what is tiny"


def test_they_lie_as_in_the_environment_that_has_most_of_them():
    environments = [
        image("c", NUMPY, JAX, base=BASE),
        image("b", TORCH, PANDAS, NUMPY, base=BASE),
    ]
    assert popular(environments, BASE, 9) == (TORCH, PANDAS, NUMPY, JAX)


def test_environments_on_other_bases_do_not_count():
    other = image("other", layer("other system"))
    assert popular([image("a", TORCH, base=other)], BASE, 5) == ()
