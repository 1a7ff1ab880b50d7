"""What goes wrong between us and BuildKit."""

from __future__ import annotations

from packer.errors import SendoffError

_TAIL = 20
"""Lines of a step's output that are shown."""


class BuilderInvalid(SendoffError):
    """The setting `builder` names none."""

    code, phase = "BUILDER_INVALID", "build"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def what(self) -> str:
        return f"{self.text!r} names no builder"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "write it as docker, unix:///PATH, tcp://HOST:PORT or kubernetes://NAMESPACE"


class BuilderUnreachable(SendoffError):
    """There is no BuildKit where one was looked for."""

    code, phase, retryable = "BUILDER_UNREACHABLE", "build", True

    def __init__(self, where: str, said: str, seen: str = "") -> None:
        super().__init__(where, said, seen)
        self.where, self.said, self.seen = where, said, seen

    def what(self) -> str:
        return f"no builder answers at {self.where}"

    def why(self) -> str:
        return self.said

    def evidence(self) -> str:
        return self.seen

    def fix(self) -> str:
        return (
            "start buildkitd there, or name another: export SENDOFF_BUILDER=docker "
            "(or unix:///PATH, tcp://HOST:PORT, kubernetes://NAMESPACE)"
        )


class BuilderDied(SendoffError):
    """BuildKit was there and went away in the middle of a build."""

    code, phase, retryable = "BUILDER_DIED", "build", True

    def __init__(self, where: str, step: str, said: str) -> None:
        super().__init__(where, step, said)
        self.where, self.step, self.said = where, step, said

    def what(self) -> str:
        return f"the builder at {self.where} went away during a build"

    def why(self) -> str:
        return f"it was at the step {self.step}" if self.step else ""

    def evidence(self) -> str:
        return self.said

    def fix(self) -> str:
        return "see its log (memory, disk), start it, and do the same again; nothing was published"


class BuildFailed(SendoffError):
    """A step of a build ended with an error."""

    code, phase = "BUILD_FAILED", "build"

    def __init__(self, step: str, error: str, output: str) -> None:
        super().__init__(step, error, output)
        self.step, self.error, self.output = step, error, output

    def what(self) -> str:
        return f"the build failed at the step {self.step}" if self.step else "the build failed"

    def why(self) -> str:
        return self.error

    def evidence(self) -> str:
        return "\n".join(self.output.strip().splitlines()[-_TAIL:])

    def fix(self) -> str:
        return "correct that step and do the same again; steps before it are kept"

    def transcript(self) -> str:
        return self.evidence()


class BuilderOutdated(BuildFailed):
    """The builder does not know what the Dockerfile asks for."""

    code = "BUILDER_OUTDATED"

    def what(self) -> str:
        return "the builder is too old"

    def why(self) -> str:
        return self.error

    def fix(self) -> str:
        return "BuildKit 0.16 or newer is needed, which the docker engine has since 27.2"


class PackageUnknown(BuildFailed):
    """apt knows no package of that name."""

    code = "PACKAGE_UNKNOWN"

    def __init__(self, step: str, error: str, output: str, names: tuple[str, ...]) -> None:
        super().__init__(step, error, output)
        self.names = names

    def what(self) -> str:
        return f"apt knows no package {', '.join(self.names)}"

    def why(self) -> str:
        return f"the step {self.step} failed"

    def fix(self) -> str:
        return "correct its name; packages.debian.org has them by the base's release"


class BuilderUnfit(BuildFailed):
    """The builder's driver cannot do what is asked of it."""

    code = "BUILDER_UNFIT"

    def __init__(self, feature: str, driver: str) -> None:
        """`feature` in buildx's words: "OCI exporter", "Cache export"."""
        super().__init__("", f"{feature} is not supported for the {driver} driver", "")
        self.feature, self.driver = feature, driver

    def what(self) -> str:
        return f"the builder of buildx's {self.driver} driver cannot do this"

    def fix(self) -> str:
        return (
            "name another builder: --builder docker-container:// (or unix:///PATH, "
            "tcp://HOST:PORT, kubernetes://NAMESPACE); or have the docker engine keep its images "
            "in containerd's store: https://docs.docker.com/engine/storage/containerd"
        )


class CacheUnsupported(BuilderUnfit):
    """The builder's driver leaves no cache for others; all else it may well do."""


class BuildxMissing(BuilderUnreachable):
    """The program that speaks to builders is not here."""

    def what(self) -> str:
        return "docker buildx is not installed"

    def fix(self) -> str:
        return (
            "install the docker CLI with its buildx plugin (no docker engine is needed): "
            "https://docs.docker.com/build/install-buildx"
        )
