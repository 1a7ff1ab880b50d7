"""What goes wrong with base images. See `packer.errors` for the form."""

from __future__ import annotations

from difflib import get_close_matches

from packer.errors import SendoffError


class CatalogueMalformed(SendoffError):
    """The catalogue of base images cannot be read, or one of its entries has no meaning."""

    code, phase, exit_code = "CATALOGUE_MALFORMED", "base", 2

    def __init__(self, path: str, place: str, problem: str) -> None:
        super().__init__(path, place, problem)
        self.path, self.place, self.problem = path, place, problem

    def what(self) -> str:
        where = f"[{self.place}] in the" if self.place else "the"
        return f"{where} catalogue of base images cannot be used"

    def why(self) -> str:
        return self.problem

    def evidence(self) -> str:
        return self.path

    def fix(self) -> str:
        return f"correct {self.path}; nothing was built"


class BaseNotInCatalogue(SendoffError):
    """The catalogue has no base of this name."""

    code, phase, exit_code = "BASE_NOT_IN_CATALOGUE", "base", 2

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__(name, names)
        self.name, self.names = name, names

    def what(self) -> str:
        return f"the catalogue has no base {self.name!r}"

    def evidence(self) -> str:
        return f"it has {', '.join(self.names)}"

    def fix(self) -> str:
        near = get_close_matches(self.name, self.names, 1)
        hint = "sendoff base list shows them with their Pythons"
        return f"did you mean {near[0]}? {hint}" if near else hint


class BaseWithoutPython(SendoffError):
    """The base exists, but not with this Python."""

    code, phase, exit_code = "BASE_WITHOUT_PYTHON", "base", 2

    def __init__(self, name: str, python: str, pythons: tuple[str, ...]) -> None:
        super().__init__(name, python, pythons)
        self.name, self.python, self.pythons = name, python, pythons

    def what(self) -> str:
        return f"there is no base {self.name} with Python {self.python}"

    def evidence(self) -> str:
        return f"it is there with {', '.join(self.pythons) or 'none'}"

    def fix(self) -> str:
        return "add it to the catalogue and build it, or make the sandbox with one of those"


class BaseNotBuilt(SendoffError):
    """The base is to be pushed or compared, and was not built on this machine."""

    code, phase = "BASE_NOT_BUILT", "base"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def what(self) -> str:
        return f"{self.name} was not built here"

    def fix(self) -> str:
        return f"sendoff base build {self.name.partition(':')[0]}"


class BaseUnreadable(SendoffError):
    """An image was built that cannot serve as a base."""

    code, phase = "BASE_UNREADABLE", "base"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def what(self) -> str:
        return f"what was built as {self.name} cannot be read"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "build it again; if it stays, the builder or the Dockerfile is at fault"
