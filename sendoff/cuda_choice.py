"""Which CUDA an environment is packed for: as asked, or as the GPU class implies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packer.environment.cuda import CudaWish
from packer.environment.environment_report import EnvironmentReport
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.kubernetes.gpu_classes import GpuClass
    from packer.images.base import Base

NONE = "none"


def wish(session: Session) -> CudaWish:
    """What the packer is asked for.

    A GPU class implies CUDA where the target is another machine; the local one has what it has.

    Raises:
        CudaUnfit: the class can't run the CUDA that was asked for.
        GpuExpressionInvalid, GpuClassInvalid
    """
    settings = session.settings
    asked = settings.cuda
    if asked == NONE or not (asked or (settings.gpu and settings.target != "local")):
        return CudaWish(index=settings.torch_index)
    from dispatcher.kubernetes import cuda_support

    classes = _classes(session)
    if asked:
        cuda_support.check(classes, [(f"--cuda {asked}", asked)])
        return CudaWish(lines=(asked,), asked=True, index=settings.torch_index)
    # "cpu" is a class without a GPU.
    implied = not is_cpu(settings.gpu)
    lines = cuda_support.lines(classes) if implied else ()
    return CudaWish(lines=lines, index=settings.torch_index)


def check(session: Session, report: EnvironmentReport, base: Base | None = None) -> None:
    """Refuse an environment that GPUs of the class can never run, or that its base is not for.

    Raises:
        CudaUnfit, BaseCudaDiffers
    """
    if base:
        _check_base(base, report)
    if not session.settings.gpu:
        return
    from dispatcher.kubernetes import cuda_support
    from packer.environment import cuda

    cuda_support.check(_classes(session), cuda.needs(report.arrivals))


def _check_base(base: Base, report: EnvironmentReport) -> None:
    """A compiler of one major makes nothing that goes with libraries of another."""
    if not base.cuda:
        return
    from packer.bases import catalogue
    from packer.environment import cuda
    from packer.images.errors import BaseCudaDiffers

    for what, line in cuda.needs(report.arrivals):
        if cuda.major(line) != cuda.major(base.cuda):
            fitting = catalogue.load(catalogue.home()).with_cuda(cuda.major(line))
            raise BaseCudaDiffers(base.title, base.cuda, what, line, fitting)


def is_cpu(gpu: str) -> bool:
    """Whether a class expression asks for no GPU."""
    from dispatcher import gpu_expression

    return not gpu_expression.parse(gpu)


def _classes(session: Session) -> list[GpuClass]:
    """The classes that were asked for, as far as they are known: others are refused elsewhere."""
    from dispatcher import gpu_expression
    from dispatcher.kubernetes import cluster
    from dispatcher.kubernetes.refusals import GpuUnknown

    wanted = gpu_expression.parse(session.settings.gpu)
    if not wanted:
        return []
    catalogue = cluster.catalogue(session.cluster())
    found = []
    for each in wanted:
        try:
            found.append(catalogue.find(each.name)[0])
        except GpuUnknown:
            continue
    return found
