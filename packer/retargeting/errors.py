"""Why an environment can't be had for a target. See `packer.errors` for the form."""

from __future__ import annotations

from collections.abc import Sequence

from packer.errors import SendoffError


class NoCudaBuild(SendoffError):
    """No index has the installed version of a package built for the CUDA lines that will do."""

    code, phase = "NO_CUDA_BUILD", "environment"

    def __init__(
        self, names: Sequence[str], lines: Sequence[str], said: str, others: Sequence[str] = ()
    ) -> None:
        """`names` are "torch 2.5.1"; `others` are lines that there are builds for."""
        super().__init__(names, lines, said, others)
        self.names, self.lines, self.said = tuple(names), tuple(lines), said
        self.others = tuple(others)

    def what(self) -> str:
        """What failed."""
        lines = " or ".join(filter(None, self.lines))
        wanted = f"for CUDA {lines}" if lines else "without CUDA"
        return f"{' with '.join(self.names)} has no build {wanted}"

    def why(self) -> str:
        """The cause."""
        if self.others:
            return f"there are builds for CUDA {', '.join(self.others)}"
        return self.said

    def evidence(self) -> str:
        """What was seen."""
        return self.said if self.others else ""

    def fix(self) -> str:
        """What to do."""
        if not any(self.lines):
            return "install a version that has one"
        other = f"--cuda {self.others[0]}, " if self.others else ""
        return f"{other}install a version that has one, or keep what is installed: --cuda none"


class TorchIndexUnreachable(SendoffError):
    """PyTorch's index does not answer, and the package index has no build that will do."""

    code, phase, retryable = "INDEX_UNREACHABLE", "environment", True

    def __init__(self, index: str, said: str) -> None:
        super().__init__(index, said)
        self.index, self.said = index, said

    def what(self) -> str:
        """What failed."""
        return "PyTorch's builds can't be looked for"

    def why(self) -> str:
        """The cause."""
        return self.said

    def evidence(self) -> str:
        """What was seen."""
        return self.index

    def fix(self) -> str:
        """What to do."""
        return "name a mirror: export SENDOFF_TORCH_INDEX=https://…/whl"
