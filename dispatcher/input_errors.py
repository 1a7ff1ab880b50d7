"""What can go wrong with data from outside the project. See `packer.errors` for the form."""

from __future__ import annotations

from packer.errors import SendoffError


class InputMissing(SendoffError):
    """There is nothing of that name."""

    code, phase, exit_code = "INPUT_MISSING", "inputs", 2

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def what(self) -> str:
        return f"there is no {self.path} to be given to the command"

    def fix(self) -> str:
        return "--input SRC:DST, where SRC is a file or folder of this machine"


class InputUnreadable(SendoffError):
    """A file or folder can't be read, or is something else."""

    code, phase = "INPUT_UNREADABLE", "inputs"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def what(self) -> str:
        return f"{self.path} can't be given to the command"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return f"see what it is, and whether you may read it: ls -l {self.path}"


class InputChanged(SendoffError):
    """A file changed while it was read or sent."""

    code, phase, retryable = "INPUT_CHANGED", "inputs", True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def what(self) -> str:
        return f"{self.path} changed while it was read"

    def fix(self) -> str:
        return "wait until it is complete, then send it off again"


class InputDestinationInvalid(SendoffError):
    """A destination lies outside the working directory."""

    code, phase, exit_code = "INPUT_DESTINATION_INVALID", "inputs", 2

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def what(self) -> str:
        return f"an input can't be put at {self.path!r}"

    def why(self) -> str:
        return "it has its place in the command's working directory"

    def fix(self) -> str:
        return "--input SRC:data/train, relative to the project"


class InputInTheWay(SendoffError):
    """An input would be put where the project, or another input, has something."""

    code, phase, exit_code = "INPUT_IN_THE_WAY", "inputs", 2

    def __init__(self, path: str, taken: str) -> None:
        super().__init__(path, taken)
        self.path, self.taken = path, taken

    def what(self) -> str:
        return f"an input can't be put at {self.path!r}"

    def why(self) -> str:
        return f"the project, or another input, has {self.taken!r} already"

    def fix(self) -> str:
        return (
            "give it another place (--input SRC:DST), or name what the project has there in "
            ".sendoffignore"
        )


class InputGone(SendoffError):
    """A run is given data that is not in the store."""

    code, phase = "INPUT_GONE", "inputs"

    def __init__(self, path: str, sha256: str, store: str) -> None:
        super().__init__(path, sha256, store)
        self.path, self.sha256, self.store = path, sha256, store

    def what(self) -> str:
        return f"the input {self.path} is not in the store"

    def why(self) -> str:
        return f"{self.store} has nothing with its sha256"

    def evidence(self) -> str:
        return self.sha256

    def fix(self) -> str:
        return "name the store that the earlier run used: export SENDOFF_STORE=…"
