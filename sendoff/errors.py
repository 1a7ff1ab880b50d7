"""What can go wrong at the front door itself."""

from __future__ import annotations

from collections.abc import Sequence

from packer.errors import SendoffError


class Misuse(SendoffError):
    """The command line or the call asks for something that has no meaning."""

    code, phase, exit_code = "USAGE", "usage", 2

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self._what, self._why, self._fix = what, why, fix

    def what(self) -> str:
        return self._what

    def why(self) -> str:
        return self._why

    def fix(self) -> str:
        return self._fix


class Internal(SendoffError):
    """An error that nobody foresaw: a fault of sendoff's own."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error

    def what(self) -> str:
        return f"sendoff itself failed: {type(self.error).__name__}: {self.error}"

    def evidence(self) -> str:
        trace = self.error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""

    def fix(self) -> str:
        return "please report it, with the traceback that SENDOFF_DEBUG=1 shows"


class FolderUnusable(SendoffError):
    """The system does not let us write, or read, where we have to."""

    code, phase = "FOLDER_UNUSABLE", "storage"

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def what(self) -> str:
        return f"{self.path} can't be used"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return self.remedy


class OutputUnwritable(SendoffError):
    """Standard output or standard error leads to where nothing can be written."""

    code, phase = "OUTPUT_UNWRITABLE", "storage"

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(stream, reason)
        self.stream, self.reason = stream, reason

    def what(self) -> str:
        return f"{self.stream} can't be written to"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "send it elsewhere; a run that was begun goes on: sendoff ps"


class UnknownSetting(SendoffError):
    """A configuration source has a key that means nothing to us."""

    code, phase, exit_code = "CONFIG_UNKNOWN_KEY", "configuration", 2

    def __init__(self, key: str, source: str, nearest: str) -> None:
        super().__init__(key, source, nearest)
        self.key, self.source, self.nearest = key, source, nearest

    def what(self) -> str:
        return f"unknown setting {self.key!r} in {self.source}"

    def fix(self) -> str:
        # Until it is gone, there is no configuration to be shown.
        near = f"did you mean {self.nearest!r}? " if self.nearest else ""
        gone = f"unset {self.key}" if self.key.isupper() else f"remove it from {self.source}"
        return f"{near}{gone}, and `sendoff config show` lists all settings"


class InvalidSetting(SendoffError):
    """A setting has a value that can't be used."""

    code, phase, exit_code = "CONFIG_INVALID", "configuration", 2

    def __init__(self, key: str, source: str, problem: str) -> None:
        super().__init__(key, source, problem)
        self.key, self.source, self.problem = key, source, problem

    def what(self) -> str:
        given = self.source.startswith(("--", "SENDOFF_"))
        return f"can't use {self.source if given else f'{self.key} in {self.source}'}"

    def why(self) -> str:
        return self.problem

    def fix(self) -> str:
        return f"correct {self.source}"


class InvalidConfigurationFile(SendoffError):
    """A configuration file that can't be read or is not TOML."""

    code, phase, exit_code = "CONFIG_INVALID", "configuration", 2

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def what(self) -> str:
        return f"{self.path} can't be read as configuration"

    def why(self) -> str:
        return self.problem

    def fix(self) -> str:
        return f"correct {self.path}"


class ConfigurationExists(SendoffError):
    """There are settings already, which would be lost."""

    code, phase, exit_code = "CONFIG_EXISTS", "configuration", 2

    def __init__(self, path: str, remedy: str) -> None:
        super().__init__(path, remedy)
        self.path, self.remedy = path, remedy

    def what(self) -> str:
        return f"{self.path} is there already"

    def why(self) -> str:
        return "what it says would be lost; nothing was written"

    def fix(self) -> str:
        return self.remedy


class GroupUnknown(SendoffError):
    """No run has this group label."""

    code, phase, exit_code = "GROUP_UNKNOWN", "reference", 2

    def __init__(self, name: str, near: str = "") -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def what(self) -> str:
        return f"no run is in a group {self.name!r}"

    def fix(self) -> str:
        hint = "sendoff ps lists all runs"
        return f"did you mean {self.near}? {hint}" if self.near else hint


class RunUnknown(SendoffError):
    """No run has this name."""

    code, phase, exit_code = "RUN_UNKNOWN", "reference", 2

    def __init__(self, name: str, near: str = "") -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def what(self) -> str:
        return f"no run is called {self.name!r}"

    def fix(self) -> str:
        hint = "sendoff ps lists all runs"
        return f"did you mean {self.near}? {hint}" if self.near else hint


class RunAmbiguous(SendoffError):
    """More than one run begins with this prefix."""

    code, phase, exit_code = "RUN_AMBIGUOUS", "reference", 2

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        super().__init__(prefix, candidates)
        self.prefix, self.candidates = prefix, tuple(candidates)

    def what(self) -> str:
        return f"{len(self.candidates)} runs begin with {self.prefix!r}"

    def evidence(self) -> str:
        shown, rest = self.candidates[:5], self.candidates[5:]
        return ", ".join(shown) + (", …" if rest else "")

    def fix(self) -> str:
        return "add letters until one is left"


class IndexUnknown(SendoffError):
    """The run exists, but has fewer indexes."""

    code, phase, exit_code = "INDEX_UNKNOWN", "reference", 2

    def __init__(self, run_id: str, index: str, count: int) -> None:
        super().__init__(run_id, index, count)
        self.run_id, self.index, self.count = run_id, index, count

    def what(self) -> str:
        return f"run {self.run_id} has no index {self.index}"

    def why(self) -> str:
        return f"its indexes are 0 to {self.count - 1}" if self.count > 1 else "its only index is 0"

    def fix(self) -> str:
        return f"sendoff show {self.run_id}"


class BasesUnset(SendoffError):
    """A base is called by its name, and nobody said where those are."""

    code, phase, exit_code = "BASES_UNSET", "configuration", 2

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def what(self) -> str:
        return f"the base {self.name} is a name, and it is not said where bases are"

    def fix(self) -> str:
        return "export SENDOFF_BASES=registry.example/base, or name an image by its digest"


class BaseNotPublished(SendoffError):
    """No base of this name is where bases are."""

    code, phase = "BASE_NOT_PUBLISHED", "registry"

    def __init__(self, name: str, repository: str) -> None:
        super().__init__(name, repository)
        self.name, self.repository = name, repository

    def what(self) -> str:
        return f"there is no base {self.name}"

    def why(self) -> str:
        return f"{self.repository} has no image for any Python"

    def fix(self) -> str:
        return f"build it and push it: sendoff base build --push {self.name}"


class BaseMissing(SendoffError):
    """No base image is set, and the target has no operating system of its own to lend."""

    code, phase = "BASE_NEEDED", "configuration"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def what(self) -> str:
        return "no base image is set"

    def why(self) -> str:
        return "an image in a registry needs an operating system and a Python below it"

    def fix(self) -> str:
        return (
            "export SENDOFF_BASE=registry.example/base/cpu@sha256:…, or where bases with names "
            "are: SENDOFF_BASES=registry.example/base"
        )
