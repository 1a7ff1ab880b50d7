"""PyTorch's index and a package index, played by a real server with small real wheels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.indexes import Indexes, wheel

LINUX = "cp311-cp311-manylinux_2_28_x86_64"
NVIDIA = "py3-none-manylinux_2_27_x86_64"


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Indexes]:
    """torch 2.9.1 for CUDA 12.6 and 12.8, and without; on the package index for 12.8."""
    with Indexes() as served:
        for line, version in (("cu126", "12.6.77"), ("cu128", "12.8.90")):
            torch_builds(served, line, version)
        served.add("whl/cpu", *wheel("torch", "2.9.1+cpu", LINUX, requires=("sympy",)))
        served.add("whl/cpu", *wheel("torchvision", "0.24.1+cpu", LINUX, requires=("torch",)))
        needs = ("nvidia-cuda-runtime-cu12==12.8.90", "triton==3.5.1", "sympy")
        served.add("simple", *wheel("torch", "2.9.1", LINUX, requires=needs))
        served.add("simple", *wheel("torchvision", "0.24.1", LINUX, requires=("torch==2.9.1",)))
        served.add("simple", *wheel("nvidia-cuda-runtime-cu12", "12.8.90", NVIDIA))
        served.add("simple", *wheel("nvidia-cuda-runtime-cu12", "12.6.77", NVIDIA))
        served.add("simple", *wheel("triton", "3.5.1", LINUX))
        served.add("simple", *wheel("greenlet", "3.5.6", LINUX))
        served.add("simple", *wheel("jeepney", "0.9.0"))
        served.add("simple", *wheel("secretstorage", "3.5.0", requires=("jeepney", "cryptography")))
        served.add("simple", *wheel("cryptography", "50.0.2", LINUX))
        for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
            monkeypatch.setenv(name, served.url + "/simple")
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        monkeypatch.delenv("UV_INDEX", raising=False)
        yield served


def torch_builds(served: Indexes, line: str, runtime: str) -> None:
    """torch and torchvision of PyTorch's index for one line."""
    needs = (f"nvidia-cuda-runtime-cu12=={runtime}", "triton==3.5.1", "sympy")
    served.add(f"whl/{line}", *wheel("torch", f"2.9.1+{line}", LINUX, requires=needs))
    vision = wheel("torchvision", f"0.24.1+{line}", LINUX, requires=(f"torch==2.9.1+{line}",))
    served.add(f"whl/{line}", *vision)
