"""What can be wrong with an image. See `packer.errors` for the form."""

from __future__ import annotations

from collections.abc import Sequence

from packer.errors import SendoffError


class BaseUnusable(SendoffError):
    """A base image that no environment can be laid upon."""

    code, phase = "BASE_UNUSABLE", "environment"

    def __init__(self, base: str, reason: str, remedy: str = "") -> None:
        super().__init__(base, reason, remedy)
        self.base, self.reason, self.remedy = base, reason, remedy

    def what(self) -> str:
        return f"the base image {self.base} cannot be used"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return self.remedy or "choose another: --base REPOSITORY@DIGEST"


class BasePythonDiffers(SendoffError):
    """The base image has another Python minor than the sandbox."""

    code, phase = "PYTHON_MISMATCH", "environment"

    def __init__(self, base: str, has: str, wanted: str) -> None:
        super().__init__(base, has, wanted)
        self.base, self.has, self.wanted = base, has, wanted

    def what(self) -> str:
        return f"the base image has Python {self.has}, the sandbox {self.wanted}"

    def why(self) -> str:
        return "compiled packages and bytecode are for one minor"

    def evidence(self) -> str:
        return self.base

    def fix(self) -> str:
        minor = ".".join(self.wanted.split(".")[:2])
        return f"choose a base with Python {minor}: --base …, or make the sandbox anew"


class BaseCudaDiffers(SendoffError):
    """The base image has the compiler of another CUDA major than the environment is built for."""

    code, phase = "BASE_CUDA_DIFFERS", "environment"

    def __init__(self, base: str, has: str, needing: str, line: str, others: Sequence[str]) -> None:
        """`needing` is what is built for `line`; `others` are bases with its major."""
        super().__init__(base, has, needing, line, others)
        self.base, self.has, self.needing = base, has, needing
        self.line, self.others = line, tuple(others)

    def what(self) -> str:
        return f"the base {self.base} has CUDA {self.has}, the environment is for {self.line}"

    def why(self) -> str:
        return "what is compiled for one CUDA major does not go with libraries of another"

    def evidence(self) -> str:
        return self.needing

    def fix(self) -> str:
        named = " or ".join(f"--base {each}" for each in self.others)
        return f"{named or 'choose another base'}; --base cuda-runtime compiles nothing"
