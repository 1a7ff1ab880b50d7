"""What is said where an environment can't be had for another platform or CUDA line."""

from __future__ import annotations

from dispatcher.kubernetes.refusals import CudaUnfit
from packer.errors import SendoffError
from packer.retargeting.errors import NoCudaBuild, TorchIndexUnreachable
from packer.wheels.errors import NoWheelForTarget, Wheelless
from sendoff.terminal import failure

NO_WHEEL = "the index has no wheel for linux/amd64"
ERRORS: list[SendoffError] = [
    NoCudaBuild(["torch 2.5.1"], ["12.8"], "there is no version of torch==2.5.1+cu128"),
    NoCudaBuild(["torch 2.5.1"], ["12.8"], "there is no version of …", ["12.4", "12.1", "11.8"]),
    NoCudaBuild(["torch 2.5.1", "torchao 0.7.0"], [""], "there is no version of …"),
    TorchIndexUnreachable("https://download.pytorch.org/whl", "dns error"),
    CudaUnfit("b200", "torch 2.5.1+cu118", "11.8", "it came with CUDA 12.8", ["12.9", "12.8"]),
    CudaUnfit("mi300x", "--cuda 12.8", "12.8", "it is no NVIDIA GPU", []),
    NoWheelForTarget(
        [
            Wheelless("pyobjc-core", "11.1", "lib/objc/_objc.so", NO_WHEEL),
            Wheelless("mine", "0.1", "lib/mine.so"),
        ],
        "linux/amd64",
    ),
]


def test_errors(golden) -> None:
    texts = ["\n".join([error.code, *failure.lines(error)]) for error in ERRORS]
    golden("words/retargeting-errors.txt", "\n\n".join(texts) + "\n")
