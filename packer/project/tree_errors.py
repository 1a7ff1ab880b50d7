"""What can be wrong with the tree that is to be packed."""

from __future__ import annotations

import re

from packer.errors import SendoffError

_ROOT = "/"
"""What `TreeTooLarge` is told of the small files at the root."""
_SPECIAL = re.compile(r"[\\*?[]|\s$")


class ProjectMissing(SendoffError):
    """There is no directory where the project should be."""

    code, phase, exit_code = "PROJECT_MISSING", "snapshot", 2

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.project = project

    def what(self) -> str:
        return f"{self.project} is not a directory"

    def fix(self) -> str:
        return "name the project's directory: --project DIR"


class ProjectEmpty(SendoffError):
    """Nothing in the project is to be packed."""

    code, phase = "PROJECT_EMPTY", "snapshot"

    def __init__(self, project: str, left_out: int) -> None:
        super().__init__(project, left_out)
        self.project, self.left_out = project, left_out

    def what(self) -> str:
        return f"{self.project} has no files to pack"

    def why(self) -> str:
        if not self.left_out:
            return "it is empty"
        return f"all that is in it stays out by rule ({self.left_out} entries)"

    def fix(self) -> str:
        if not self.left_out:
            return "go to the project's directory, or name it: --project DIR"
        return "name what belongs to the project in .sendoffignore, with a ! in front"


class TreeTooLarge(SendoffError):
    """The project's files are larger than an image should carry."""

    code, phase = "TREE_TOO_LARGE", "snapshot"

    def __init__(self, size: int, limit: int, largest: tuple[tuple[str, int], ...]) -> None:
        super().__init__(size, limit, largest)
        self.size, self.limit, self.largest = size, limit, largest

    def what(self) -> str:
        return f"the project's files are {self.size / 1e6:,.0f} MB"

    def why(self) -> str:
        return f"the limit is {self.limit / 1e6:,.0f} MB; data is not code"

    def evidence(self) -> str:
        """All on one line, the largest first: people are shown the last line only."""
        return "; ".join(f"{size / 1e6:,.1f} MB {_named(path)}" for path, size in self.largest)

    def fix(self) -> str:
        # Many small files at the root have no name that all else would not have as well.
        named = [path for path, _ in self.largest if path != _ROOT]
        if not named:
            return "leave out what is not code: a line for it in .sendoffignore, such as /*.png"
        return f"leave out what is not code: {_leaving_out(named[0])}"


class TreeChanged(SendoffError):
    """A file changed while it was read, so that no instant has the tree that was seen."""

    code, phase, retryable = "TREE_CHANGED", "snapshot", True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def what(self) -> str:
        return f"{self.path} changed while it was read"

    def why(self) -> str:
        return "some program writes to it"

    def fix(self) -> str:
        return f"wait for it to end, or leave the file out: {_leaving_out(self.path)}"


class SymlinkEscape(SendoffError):
    """A link points out of the tree, at what no image would have."""

    code, phase = "SYMLINK_ESCAPE", "snapshot"

    def __init__(self, path: str, target: str) -> None:
        super().__init__(path, target)
        self.path, self.target = path, target

    def what(self) -> str:
        return f"the link {self.path} leaves the project"

    def evidence(self) -> str:
        return f"{self.path} -> {self.target}"

    def fix(self) -> str:
        return (
            f"copy what it points at into the project, or leave it out: {_leaving_out(self.path)}"
        )


class SymlinkLoop(SendoffError):
    """A link leads back to itself."""

    code, phase = "SYMLINK_LOOP", "snapshot"

    def __init__(self, path: str, target: str) -> None:
        super().__init__(path, target)
        self.path, self.target = path, target

    def what(self) -> str:
        return f"the link {self.path} leads back to itself"

    def evidence(self) -> str:
        return f"{self.path} -> {self.target}"

    def fix(self) -> str:
        return f"remove it: rm {_quoted(self.path)}, or leave it out: {_leaving_out(self.path)}"


class FileUnreadable(SendoffError):
    """A file or directory of the project can't be read."""

    code, phase = "FILE_UNREADABLE", "snapshot"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def what(self) -> str:
        return f"{self.path} can't be read"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return f"chmod u+r {_quoted(self.path)}, or leave it out: {_leaving_out(self.path)}"


def _named(path: str) -> str:
    return "in small files at the top" if path == _ROOT else path


def _leaving_out(path: str) -> str:
    """The shell command that has this path, and nothing else, stay out (gitignore(5))."""
    pattern = "/" + _SPECIAL.sub(r"\\\g<0>", path)
    # Some shells' echo takes backslashes for its own.
    say = "printf '%s\\n'" if "\\" in pattern else "echo"
    return f"{say} {_quoted(pattern)} >> .sendoffignore"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
