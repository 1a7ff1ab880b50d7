"""What goes wrong where something has to be built."""

from __future__ import annotations

from packer.errors import SendoffError


class BuilderNeeded(SendoffError):
    """Something must be run to pack this, and there is nothing to run it with."""

    code, phase = "BUILDER_NEEDED", "build"

    def __init__(self, what: str, reason: str, alternative: str) -> None:
        super().__init__(what, reason, alternative)
        self.wanted, self.reason, self.alternative = what, reason, alternative

    def what(self) -> str:
        return f"{self.wanted} has to be built"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return (
            "name a builder: --builder docker, or unix:///PATH, tcp://HOST:PORT, "
            f"kubernetes://NAMESPACE; {self.alternative}"
        )


class SourceUnusable(SendoffError):
    """A source cannot be had, or is not one that can be built."""

    code, phase = "SOURCE_UNUSABLE", "build"

    def __init__(self, source: str, reason: str, seen: str = "") -> None:
        super().__init__(source, reason, seen)
        self.source, self.reason, self.seen = source, reason, seen

    def what(self) -> str:
        return f"{self.source} cannot be built"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.seen

    def fix(self) -> str:
        return "install a version that has a wheel, or install it from another source"


class SourceAltered(SendoffError):
    """An archive is not, or no longer, what was installed, and no hash of that was recorded."""

    code, phase = "SOURCE_ALTERED", "build"

    def __init__(
        self, source: str, installed: str, url: str, path: str, *, by_index: bool = False
    ) -> None:
        """`installed`: "odd 1.0"; `path`: a file that differs, below the environment's prefix.

        `by_index`: the archive was found by name and version.
        """
        super().__init__(source, installed, url, path, by_index)
        self.source, self.installed, self.url, self.path = source, installed, url, path
        self.by_index = by_index

    def what(self) -> str:
        return f"{self.source} is not what {self.installed} was installed from"

    def why(self) -> str:
        return f"{self.path} is another in the wheel that it makes, or not in it"

    def evidence(self) -> str:
        return self.url

    def fix(self) -> str:
        if self.by_index:
            # Not to install it: it may be somebody else's, of the same name.
            return (
                "name the index that it was installed from in the settings of uv or pip; "
                "or --builder native packs the installed files as they are"
            )
        return (
            "install it again, with pip, which records its hash: "
            f"python -m pip install --force-reinstall --no-deps '{self.url}'"
        )


class WheelNotBuilt(SendoffError):
    """A source was built, and failed."""

    code, phase = "WHEEL_NOT_BUILT", "build"

    def __init__(self, source: str, why: str, output: str) -> None:
        super().__init__(source, why, output)
        self.source, self.reason, self.output = source, why, output

    def what(self) -> str:
        return f"{self.source} does not build on the base image"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.output

    def transcript(self) -> str:
        return self.evidence()

    def fix(self) -> str:
        return (
            'name the Debian packages it needs: [tool.sendoff.image] build-apt = ["…"], '
            "or a base image that has them"
        )


class BuildSecretMissing(SendoffError):
    """A secret that the image's steps read has no value here."""

    code, phase = "BUILD_SECRET_MISSING", "build"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def what(self) -> str:
        return f"the secret {self.name} of [tool.sendoff.image] has no value"

    def why(self) -> str:
        return "there is no environment variable of that name"

    def fix(self) -> str:
        return f"export {self.name}=…"
