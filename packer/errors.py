"""The root of every error sendoff raises on purpose, and those of packing.

An error carries data; its words are derived from the data. `code` is stable and part of the
interface. The front door catches `SendoffError` once and shows at most four lines: what failed,
why, the evidence, and the command that fixes it.
"""

from __future__ import annotations

from functools import cached_property
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

    def transcript(self) -> str:
        """What a program wrote before it failed, told above the error; empty for most."""
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

    @cached_property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        """What a traceback shows below the error (BaseException.add_note)."""
        told = (("saw", self.evidence()), ("do", self.fix()))
        return [f"{word}: {text}" for word, text in told if text]

    def __str__(self) -> str:
        return ": ".join(line for line in (self.what(), self.why()) if line)


class DiskFull(SendoffError):
    """The file system has no room for what is being written."""

    code, phase = "DISK_FULL", "storage"

    def __init__(self, writing: str, where: str = "", free: int = 0) -> None:
        """`where` is empty where that is not known."""
        super().__init__(writing, where, free)
        self.writing, self.where, self.free = writing, where, free

    def what(self) -> str:
        return f"no room on the disk for {self.writing}"

    def why(self) -> str:
        if not self.where:
            return "the system does not say which disk it is"
        return f"{self.free / 1e6:.1f} MB are free at {self.where}"

    def fix(self) -> str:
        if not self.where:
            return "sendoff doctor tells how much is free in each folder that is written to"
        return (
            "make room, or go elsewhere: export SENDOFF_REGISTRY=… SENDOFF_CACHE=… SENDOFF_STATE=…"
        )


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


class LayoutDamaged(SendoffError):
    """The layout's index is not what the specification says."""

    code, phase = "LAYOUT_DAMAGED", "registry"

    def __init__(self, index: str, reason: str) -> None:
        super().__init__(index, reason)
        self.index, self.reason = index, reason

    def what(self) -> str:
        return f"{self.index} is damaged"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return f"remove it; tags are made again by packing, blobs stay: rm {self.index}"


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


class PythonNotFound(SendoffError):
    """There is no interpreter of that name, or it does not run."""

    code, phase = "PYTHON_NOT_FOUND", "environment"

    def __init__(self, python: str, said: str = "") -> None:
        super().__init__(python, said)
        self.python, self.said = python, said

    def what(self) -> str:
        return f"no Python interpreter at {self.python}"

    def why(self) -> str:
        return "it does not run" if self.said else "nothing of that name is on PATH"

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "activate the sandbox's virtual environment, or name it: --python .venv/bin/python"


class EnvironmentGone(PythonNotFound):
    """The environment that is said to be active has no interpreter."""

    def why(self) -> str:
        return "VIRTUAL_ENV says that it is active, and there is no such environment any more"

    def fix(self) -> str:
        return "activate the sandbox's virtual environment, or none: unset VIRTUAL_ENV"


class PythonMismatch(SendoffError):
    """The sandbox's interpreter is not one whose environment can be packed."""

    code, phase = "PYTHON_MISMATCH", "environment"

    def __init__(self, executable: str, implementation: str, version: str) -> None:
        super().__init__(executable, implementation, version)
        self.executable, self.implementation, self.version = executable, implementation, version

    def what(self) -> str:
        return f"{self.implementation} {self.version} cannot be packed"

    def why(self) -> str:
        return "environments of CPython 3.10 and newer are"

    def evidence(self) -> str:
        return self.executable

    def fix(self) -> str:
        return "make the sandbox with a newer one: uv venv --python 3.12"


class FreeThreaded(PythonMismatch):
    """The sandbox's interpreter was built without the global lock (PEP 703)."""

    def what(self) -> str:
        return f"free-threaded {self.implementation} {self.version} cannot be packed"

    def why(self) -> str:
        return "images run the ordinary build, which cannot load its compiled packages"

    def fix(self) -> str:
        minor = ".".join(self.version.split(".")[:2])
        return f"make the sandbox with the ordinary build: uv venv --python {minor}+gil"


class DistUnresolvable(SendoffError):
    """An installed distribution that can arrive neither as a wheel nor as its files."""

    code, phase = "DIST_UNRESOLVABLE", "environment"

    def __init__(self, name: str, reason: str, seen: str, remedy: str) -> None:
        super().__init__(name, reason, seen, remedy)
        self.name, self.reason, self.seen, self.remedy = name, reason, seen, remedy

    def what(self) -> str:
        return f"{self.name} cannot be reproduced"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.seen

    def fix(self) -> str:
        return self.remedy


class EditableOutsideProject(SendoffError):
    """An editable install whose source holds the project, and so cannot be packed beside it."""

    code, phase = "EDITABLE_OUTSIDE_PROJECT", "environment"

    def __init__(self, name: str, source: str, project: str) -> None:
        super().__init__(name, source, project)
        self.name, self.source, self.project = name, source, project

    def what(self) -> str:
        return f"the source of {self.name} lies around the project"

    def why(self) -> str:
        return "it is installed as editable from a directory that holds the project"

    def evidence(self) -> str:
        return f"{self.source} holds {self.project}"

    def fix(self) -> str:
        return f"pack from there: cd {self.source} && sendoff pack"


class EditableGone(SendoffError):
    """An editable install whose source is no longer where it was installed from."""

    code, phase = "EDITABLE_GONE", "environment"

    def __init__(self, name: str, source: str) -> None:
        super().__init__(name, source)
        self.name, self.source = name, source

    def what(self) -> str:
        return f"the source of {self.name} is gone"

    def why(self) -> str:
        return f"it is installed as editable from {self.source}, which is no directory"

    def fix(self) -> str:
        return (
            "install it from where it is now: python -m pip install -e DIR, "
            f"or remove it: python -m pip uninstall {self.name}"
        )
