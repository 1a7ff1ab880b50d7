"""Which CUDA lines ("12.8") run on which GPU classes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dispatcher.kubernetes import drivers
from dispatcher.kubernetes.drivers import Version
from dispatcher.kubernetes.gpu_classes import NVIDIA, GpuClass
from dispatcher.kubernetes.refusals import CudaUnfit
from packer.environment.cuda import LINES

# CUDA Toolkit release notes: the first version that has code for a compute capability.
_FIRST: dict[Version, Version] = {
    (12, 0): (12, 8),
    (10, 3): (12, 9),
    (10, 0): (12, 8),
    (9, 0): (11, 8),
    (8, 9): (11, 8),
    (8, 6): (11, 1),
    (8, 0): (11, 0),
}
# CUDA 13 has none for Maxwell, Pascal and Volta; PyTorch's builds stop with 12.6 before that.
_TURING: Version = (7, 5)
_LAST_BEFORE_TURING: Version = (12, 6)

_USUAL_DRIVER = drivers.for_cuda("12.0")
"""What nodes have at least where a class says less or nothing: it runs every CUDA 12."""


def lines(classes: Sequence[GpuClass]) -> tuple[str, ...]:
    """The lines that GPUs of all of `classes` run with the drivers they need anyway, newest first.

    None where one of them is no NVIDIA GPU.
    """
    if not all(is_nvidia(gpu) for gpu in classes):
        return ()
    floor = min((_floor(gpu) for gpu in classes), default=_USUAL_DRIVER)
    return tuple(
        line
        for line in LINES
        if drivers.for_cuda(line) <= floor and not any(_unfit(gpu, line) for gpu in classes)
    )


def check(classes: Iterable[GpuClass], needs: Iterable[tuple[str, str]]) -> None:
    """Refuse what GPUs of a class can never run.

    `needs` are pairs of what was built, "torch 2.5.1+cu118", and for which line.

    Raises:
        CudaUnfit
    """
    needs = list(needs)
    for gpu in classes:
        for what, line in needs:
            reason = _unfit(gpu, line) if is_nvidia(gpu) else "it is no NVIDIA GPU"
            if reason:
                raise CudaUnfit(gpu.name, what, line, reason, lines([gpu]))


def is_nvidia(gpu: GpuClass) -> bool:
    """Whether a class is of GPUs that have CUDA."""
    return gpu.resource.startswith(NVIDIA.partition("/")[0] + "/")


def _floor(gpu: GpuClass) -> Version:
    return max(drivers.parse(gpu.driver) if gpu.driver else (), _USUAL_DRIVER)


def _unfit(gpu: GpuClass, line: str) -> str:
    """Why programs built for a line do not run on a class's GPUs; empty where they do.

    A line that is a major alone, "12", may be any of it.
    """
    if not gpu.compute:
        return ""
    compute, version = drivers.parse(gpu.compute), drivers.parse(line)
    first = _FIRST.get(compute, ())
    if version < first[: len(version)]:
        return f"its compute capability {gpu.compute} came with CUDA {_show(first)}"
    if compute < _TURING and version > _LAST_BEFORE_TURING:
        last = _show(_LAST_BEFORE_TURING)
        return f"nothing is built for its compute capability {gpu.compute} after CUDA {last}"
    return ""


def _show(version: Version) -> str:
    return ".".join(map(str, version))
