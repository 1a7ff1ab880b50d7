"""Which CUDA lines go with which GPU classes."""

from __future__ import annotations

import pytest

from dispatcher.kubernetes import cuda_support
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.gpu_classes import AMD, GpuClass
from dispatcher.kubernetes.refusals import CudaUnfit

CATALOGUE = Catalogue.known()
TWELVE = ("12.9", "12.8", "12.6", "12.4", "12.1", "11.8")


def lines(*names: str) -> tuple[str, ...]:
    return cuda_support.lines([CATALOGUE.find(name)[0] for name in names])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # By the class's driver alone no CUDA 13 is certain to run.
        (["h100"], TWELVE),
        (["a100"], TWELVE),
        (["b200"], ("12.9", "12.8")),
        # Its first driver is one for CUDA 13.
        (["b300"], ("13.2", "13.0", "12.9")),
        (["b300", "h100"], ("12.9",)),
        (["v100"], ("12.6", "12.4", "12.1", "11.8")),
        (["h100-mig-1g.10gb"], TWELVE),
    ],
)
def test_lines_that_a_class_runs(names: list[str], expected: tuple[str, ...]) -> None:
    assert lines(*names) == expected


def test_a_class_of_which_little_is_known() -> None:
    assert cuda_support.lines([GpuClass(name="lab")]) == TWELVE
    assert cuda_support.lines([]) == TWELVE
    assert cuda_support.lines([GpuClass(name="mi300x", resource=AMD)]) == ()


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("b200", "11.8", "its compute capability 10.0 came with CUDA 12.8"),
        ("h100", "11.6", "its compute capability 9.0 came with CUDA 11.8"),
        ("v100", "13.0", "nothing is built for its compute capability 7.0 after CUDA 12.6"),
        ("v100", "13", "nothing is built for its compute capability 7.0 after CUDA 12.6"),
    ],
)
def test_what_can_never_run_is_refused(name: str, line: str, words: str) -> None:
    with pytest.raises(CudaUnfit) as refused:
        cuda_support.check(CATALOGUE.find(name), [("torch 2", line)])
    assert refused.value.why() == words
    assert refused.value.fix().startswith("--cuda ")


def test_a_major_alone_may_be_any_of_its_lines() -> None:
    for name in ("b200", "b300", "h100", "v100"):
        cuda_support.check(CATALOGUE.find(name), [("cupy-cuda12x 13.6.0", "12")])


def test_no_cuda_on_other_makes() -> None:
    amd = GpuClass(name="mi300x", resource=AMD)
    cuda_support.check([amd], [])
    with pytest.raises(CudaUnfit) as refused:
        cuda_support.check([amd], [("torch 2.9.1+cu128", "12.8")])
    assert refused.value.fix() == "keep what is installed: --cuda none"
