"""Which CUDA is packed for, by what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.kubernetes.refusals import CudaUnfit
from packer.digest import Digest
from packer.environment.cuda import TORCH_INDEX
from packer.environment.environment_report import Arrival, EnvironmentReport
from packer.images.base import CUDA_LABEL, NAME_LABEL, Base
from packer.images.errors import BaseCudaDiffers
from sendoff import cuda_choice
from sendoff.errors import InvalidSetting
from sendoff.session import Session

FAR = {"target": "docker"}


@pytest.mark.parametrize(
    ("flags", "lines", "asked"),
    [
        ({}, (), False),
        ({"gpu": "h100"}, (), False),
        ({**FAR, "gpu": "cpu"}, (), False),
        ({**FAR, "gpu": "h100", "cuda": "none"}, (), False),
        ({**FAR, "gpu": "b200"}, ("12.9", "12.8"), False),
        ({**FAR, "gpu": "b200", "cuda": "12.8"}, ("12.8",), True),
        ({"cuda": "12.6"}, ("12.6",), True),
        ({**FAR, "gpu": "mi300x"}, (), False),
    ],
)
def test_a_gpu_class_implies_cuda(
    tmp_path: Path, flags: dict[str, str], lines: tuple[str, ...], asked: bool
) -> None:
    wish = cuda_choice.wish(Session.open(tmp_path, flags))
    assert (wish.lines, wish.asked, wish.index) == (lines, asked, TORCH_INDEX)


def test_a_mirror_of_pytorchs_index(tmp_path: Path) -> None:
    session = Session.open(tmp_path, {"torch-index": "https://mirror.example/whl"})
    assert cuda_choice.wish(session).index == "https://mirror.example/whl"


@pytest.mark.parametrize("cuda", ["12", "cu128", "12.8.1", "twelve"])
def test_what_is_no_line(tmp_path: Path, cuda: str) -> None:
    with pytest.raises(InvalidSetting, match="is no CUDA line"):
        Session.open(tmp_path, {"cuda": cuda})


def test_what_the_class_can_never_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CudaUnfit):
        cuda_choice.wish(Session.open(tmp_path, {**FAR, "gpu": "b200", "cuda": "11.8"}))
    old = Arrival(name="torch", version="2.5.1+cu118", how="wheel")
    report = EnvironmentReport(arrivals=(old,))
    cuda_choice.check(Session.open(tmp_path, {**FAR, "gpu": "h100"}), report)
    cuda_choice.check(Session.open(tmp_path), report)
    with pytest.raises(CudaUnfit) as refused:
        cuda_choice.check(Session.open(tmp_path, {**FAR, "gpu": "b200"}), report)
    assert refused.value.evidence() == "torch 2.5.1+cu118"
    of_major = EnvironmentReport(arrivals=(Arrival("cupy-cuda11x", "13.3.0", how="wheel"),))
    with pytest.raises(CudaUnfit):
        cuda_choice.check(Session.open(tmp_path, {**FAR, "gpu": "b200"}), of_major)


def base(**labels: str) -> Base:
    return Base(
        digest=Digest.of(b"base"),
        repository="registry.example/base",
        platform="linux/amd64",
        layers=(),
        python="/usr/bin/python3.11",
        python_version="3.11.2",
        labels=labels,
    )


def test_a_base_with_the_compiler_of_another_major_is_refused(tmp_path: Path) -> None:
    session = Session.open(tmp_path)
    devel = base(**{CUDA_LABEL: "13.0", NAME_LABEL: "cuda-devel"})
    twelve = Arrival(name="torch", version="2.9.1+cu128", how="wheel")
    thirteen = Arrival(name="torch", version="2.9.1+cu130", how="wheel")
    cuda_choice.check(session, EnvironmentReport(arrivals=(thirteen,)), devel)
    cuda_choice.check(session, EnvironmentReport(), devel)
    cuda_choice.check(session, EnvironmentReport(arrivals=(twelve,)), base())
    with pytest.raises(BaseCudaDiffers) as refused:
        cuda_choice.check(session, EnvironmentReport(arrivals=(twelve,)), devel)
    error = refused.value
    assert error.what() == "the base cuda-devel has CUDA 13.0, the environment is for 12.8"
    assert error.evidence() == "torch 2.9.1+cu128"
