"""What can go wrong in dispatching. See `packer.errors` for the form."""

from __future__ import annotations

from collections.abc import Sequence

from packer.errors import SendoffError


class RecordUnreadable(SendoffError):
    """A stored record has a shape that this version does not know."""

    code, phase = "RECORD_UNREADABLE", "results"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key, self.reason = key, reason

    def what(self) -> str:
        return f"{self.key} cannot be read"

    def why(self) -> str:
        return "another version of sendoff wrote it, or it was altered"

    def evidence(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "python -m pip install --upgrade sendoff"


class RecordDamaged(RecordUnreadable):
    """A stored record is no JSON, which no version of sendoff writes."""

    def why(self) -> str:
        return "it was cut short or overwritten: it is no JSON"

    def fix(self) -> str:
        run = self.key.split("/")[1] if self.key.count("/") > 1 else ""
        again = f"sendoff rerun {run} --failed" if self.key.endswith("manifest.json") else ""
        return f"restore it from a copy of the store, or {again or 'send the run off again'}"


class RecordNewer(RecordUnreadable):
    """A stored record has a format that only later versions know."""

    code = "NEWER_SENDOFF_NEEDED"

    def what(self) -> str:
        return f"a newer sendoff is needed to read {self.key}"

    def why(self) -> str:
        return "its format is a later one than this version knows"


class RunUnknown(SendoffError):
    """The store has no such run, or no such index of it."""

    code, phase = "RUN_UNKNOWN", "results"

    def __init__(self, run: str, store: str, index: int | None = None) -> None:
        super().__init__(run, store, index)
        self.run, self.store, self.index = run, store, index

    def what(self) -> str:
        which = f"run {self.run}"
        return f"no such {which if self.index is None else f'index {self.index} in {which}'}"

    def why(self) -> str:
        return f"the store is {self.store}"

    def fix(self) -> str:
        return "sendoff ps" if self.index is None else f"sendoff show {self.run}"


class NotPacked(SendoffError):
    """A run was only ordered: its images are still being packed, or never will be."""

    code, phase = "NOT_PACKED", "reference"

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run

    def what(self) -> str:
        return f"run {self.run} has no images"

    def why(self) -> str:
        return "they are still being packed, or could not be"

    def fix(self) -> str:
        return f"sendoff show {self.run}"


class Conflict(SendoffError):
    """An idempotency key or a run id already stands for another request."""

    code, phase = "CONFLICT", "admission"

    def __init__(self, key: str, run: str, differences: Sequence[str]) -> None:
        super().__init__(key, run, differences)
        self.key, self.run, self.differences = key, run, tuple(differences)

    def what(self) -> str:
        return f"the key {self.key!r} stands for another request"

    def why(self) -> str:
        return f"run {self.run} was sent off with it; nothing was changed"

    def evidence(self) -> str:
        return "different: " + ", ".join(self.differences)

    def fix(self) -> str:
        return f"use another --idempotency-key, or see that run: sendoff show {self.run}"


class PythonNotHere(SendoffError):
    """The image needs a Python minor that this machine does not have."""

    code, phase = "PYTHON_MISMATCH", "admission"

    def __init__(self, wanted: str, found: Sequence[str]) -> None:
        super().__init__(wanted, found)
        self.wanted, self.found = wanted, tuple(found)

    def what(self) -> str:
        return f"the image needs Python {self.wanted}, which is not on this machine"

    def why(self) -> str:
        return "the local target runs images with the host's interpreter of the same minor"

    def evidence(self) -> str:
        return "found: " + (", ".join(self.found) or "none")

    def fix(self) -> str:
        return f"uv python install {self.wanted}"


class ImageUnusable(SendoffError):
    """The image can't run on the target."""

    code, phase = "IMAGE_UNUSABLE", "admission"

    def __init__(self, digest: str, reason: str, remedy: str) -> None:
        super().__init__(digest, reason, remedy)
        self.digest, self.reason, self.remedy = digest, reason, remedy

    def what(self) -> str:
        return f"{self.digest} can't run here"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return self.remedy


class LayerUnsafe(SendoffError):
    """A layer holds an entry that would leave its folder, or is no file, folder or link."""

    code, phase = "LAYER_UNSAFE", "image"

    def __init__(self, digest: str, entry: str, reason: str) -> None:
        super().__init__(digest, entry, reason)
        self.digest, self.entry, self.reason = digest, entry, reason

    def what(self) -> str:
        return f"layer {self.digest} was refused"

    def why(self) -> str:
        return f"{self.entry!r} {self.reason}"

    def fix(self) -> str:
        return "pack it again: sendoff pack"


class StoreNotHere(SendoffError):
    """The local target keeps results in a directory, and the store is a bucket."""

    code, phase = "STORE_NOT_LOCAL", "admission"

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.store = store

    def what(self) -> str:
        return "the local target can't keep results in a bucket"

    def why(self) -> str:
        return f"the store is {self.store}"

    def fix(self) -> str:
        return "give it a directory: export SENDOFF_STORE=DIR, or send it to the cluster"


class RegistryNotPullable(SendoffError):
    """Images are in a directory, where no engine can pull from."""

    code, phase = "REGISTRY_NEEDED", "admission"

    def __init__(self, target: str, registry: str) -> None:
        super().__init__(target, registry)
        self.target, self.registry = target, registry

    def what(self) -> str:
        return f"the target {self.target} needs a registry"

    def why(self) -> str:
        return f"images are in the directory {self.registry}, and others pull them from a server"

    def fix(self) -> str:
        return "export SENDOFF_REGISTRY=registry.example/team/runs, or set it: sendoff init"


class GpuExpressionInvalid(SendoffError):
    """What was asked for with `--gpu` cannot be read."""

    code, phase, exit_code = "GPU_EXPRESSION", "admission", 2

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def what(self) -> str:
        return f"{self.text!r} names no GPU"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "write it as h100, h100:2 or h100,a100-80gb"


class SecretMissing(SendoffError):
    """A secret that was named has no value in the client's environment."""

    code, phase, exit_code = "SECRET_MISSING", "admission", 2

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.names = tuple(names)

    def what(self) -> str:
        return "no value for the secret " + ", ".join(self.names)

    def why(self) -> str:
        return "without a cluster, secrets come from the environment of whoever sends it off"

    def fix(self) -> str:
        return "export " + " ".join(f"{name}=…" for name in self.names)


class ResultAltered(SendoffError):
    """A stored result is not what the manifest says."""

    code, phase = "RESULT_ALTERED", "results"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def what(self) -> str:
        return f"the result {self.path!r} was refused"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "fetch it into an empty folder; where the store has lost it, run it again"


class ResultUnknown(SendoffError):
    """The index has no such result."""

    code, phase = "RESULT_UNKNOWN", "results"

    def __init__(self, path: str, run: str, index: int, some: Sequence[str]) -> None:
        super().__init__(path, run, index, some)
        self.path, self.run, self.index, self.some = path, run, index, tuple(some)

    def what(self) -> str:
        return f"run {self.run} has no result {self.path!r} at index {self.index}"

    def evidence(self) -> str:
        return "it has: " + (", ".join(self.some) or "nothing")

    def fix(self) -> str:
        return f"sendoff results {self.run}"
