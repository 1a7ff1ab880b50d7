from __future__ import annotations

import pytest

from packer.environment import cuda
from packer.environment.environment_report import Arrival


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ({"numpy": "2.1.0"}, ""),
        ({"nvidia-cuda-runtime-cu12": "12.4.127"}, "12.4"),
        ({"nvidia-cuda-runtime": "13.0.48", "torch": "2.9.0"}, "13.0"),
        ({"torch": "2.5.1+cu124", "torchvision": "0.20.1+cu121"}, "12.4"),
        ({"torch": "2.4.0+cu118"}, "11.8"),
        ({"torch": "2.5.1+cpu"}, ""),
        ({"cupy-cuda11x": "13.3.0"}, "11.8"),
        ({"cupy-cuda12x": "13.3.0"}, "12"),
        ({"cupy-cuda13x": "13.6.0"}, "13"),
        ({"cupy-cuda12x": "13.6.0", "torch": "2.9.1+cu128"}, "12.8"),
        ({"jax-cuda13-plugin": "0.8.0", "jax-cuda13-pjrt": "0.8.0"}, "13"),
        ({"nvidia-cublas-cu12": "12.4.5.8"}, ""),
    ],
)
def test_the_newest_version_that_something_needs(installed: dict[str, str], expected: str) -> None:
    arrivals = [
        Arrival(name=name, version=version, how="wheel") for name, version in installed.items()
    ]
    assert cuda.version(arrivals) == expected


def test_what_stays_out_needs_nothing() -> None:
    left = Arrival(name="nvidia-cuda-runtime-cu12", version="12.4.127", how="left out")
    assert cuda.version([left]) == ""
