"""The root of every error sendoff raises on purpose, and those of packing.

An error carries data; its words are derived from the data. `code` is stable and part of the
interface. The front door catches `SendoffError` once and shows at most four lines: what failed,
why, the evidence, and the command that fixes it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SendoffError(Exception):
    """Something failed that a person or an agent can act on."""

    code: ClassVar[str] = "INTERNAL"
    phase: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 125
    retryable: ClassVar[bool] = False

    def what(self) -> str:
        """What failed, in one line."""
        return self.code

    def why(self) -> str:
        """The cause, in one line; empty where `what` says it all."""
        return ""

    def evidence(self) -> str:
        """What was seen: names, sizes, the other side's own words."""
        return ""

    def fix(self) -> str:
        """What to do about it, a command wherever there is one."""
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The machine's form: `code, phase, message, cause, evidence, fix, retryable`."""
        return {
            "code": self.code,
            "phase": self.phase,
            "message": self.what(),
            "cause": self.why(),
            "evidence": self.evidence(),
            "fix": self.fix(),
            "retryable": self.retryable,
        }

    def __str__(self) -> str:
        return ": ".join(line for line in (self.what(), self.why()) if line)


class DiskFull(SendoffError):
    """The file system has no room for what is being written."""

    code, phase = "DISK_FULL", "storage"

    def __init__(self, writing: str, where: str, free: int) -> None:
        super().__init__(writing, where, free)
        self.writing, self.where, self.free = writing, where, free

    def what(self) -> str:
        return f"no room on the disk for {self.writing}"

    def why(self) -> str:
        return f"{self.free / 1e6:.1f} MB are free at {self.where}"

    def fix(self) -> str:
        return "make room, or put the caches elsewhere: export SENDOFF_CACHE_DIR=…"


class BlobMissing(SendoffError):
    """A digest names content that the layout does not hold."""

    code, phase = "DIGEST_GONE", "registry"

    def __init__(self, digest: str, layout: str) -> None:
        super().__init__(digest, layout)
        self.digest, self.layout = digest, layout

    def what(self) -> str:
        return f"{self.digest} is not in the layout"

    def why(self) -> str:
        return "it was removed, or was never written there"

    def evidence(self) -> str:
        return self.layout

    def fix(self) -> str:
        return "pack the project again: sendoff pack"


class BlobAltered(SendoffError):
    """A blob's bytes are not those that its digest names."""

    code, phase = "BLOB_ALTERED", "registry"

    def __init__(self, digest: str, actual: str, path: str) -> None:
        super().__init__(digest, actual, path)
        self.digest, self.actual, self.path = digest, actual, path

    def what(self) -> str:
        return f"the content of {self.digest} has been altered"

    def why(self) -> str:
        return f"its bytes have the digest {self.actual}"

    def evidence(self) -> str:
        return self.path

    def fix(self) -> str:
        return f"remove it and pack again: rm {self.path} && sendoff pack"


class TagUnknown(SendoffError):
    """No image in the layout has this name."""

    code, phase = "TAG_UNKNOWN", "registry"

    def __init__(self, reference: str, layout: str) -> None:
        super().__init__(reference, layout)
        self.reference, self.layout = reference, layout

    def what(self) -> str:
        return f"no image is called {self.reference}"

    def evidence(self) -> str:
        return self.layout

    def fix(self) -> str:
        return "sendoff pack prints the digest of the project as it is now"
