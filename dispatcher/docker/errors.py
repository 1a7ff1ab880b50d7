"""What can go wrong with an engine. See `packer.errors` for the form."""

from __future__ import annotations

import re

from dispatcher.pulls import may_pass
from packer.errors import SendoffError

_NO_ROOM = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


class EngineUnreachable(SendoffError):
    """No docker engine answers."""

    code, phase, retryable = "ENGINE_UNREACHABLE", "admission", True

    def __init__(self, where: str, said: str) -> None:
        super().__init__(where, said)
        self.where, self.said = where, said

    def what(self) -> str:
        return f"no docker engine answers at {self.where}"

    def why(self) -> str:
        return self.said

    def fix(self) -> str:
        return "start it, or name another: export DOCKER_HOST=unix:///run/docker.sock"


class EngineRefused(SendoffError):
    """The engine did not do what it was asked; its words say why."""

    code, phase = "ENGINE_REFUSED", "admission"

    def __init__(self, doing: str, said: str) -> None:
        super().__init__(doing, said)
        self.doing, self.said = doing, said

    def what(self) -> str:
        return f"the docker engine refused to {self.doing}"

    def why(self) -> str:
        return self.said

    def fix(self) -> str:
        return "see to what it says, and whether the engine is well: docker info"


class PullFailed(SendoffError):
    """The engine can't get the image."""

    code, phase = "IMAGE_PULL", "schedule"

    def __init__(self, image: str, said: str) -> None:
        super().__init__(image, said)
        self.image, self.said = image, said

    def what(self) -> str:
        return f"the docker engine can't pull {self.image}"

    def why(self) -> str:
        return self.said

    def fix(self) -> str:
        return "log the engine in to the registry: docker login; or push again: sendoff pack"


class PullBroken(PullFailed):
    """The engine can't get the image now: the registry failed, or the way to it."""

    retryable = True

    def fix(self) -> str:
        return "sendoff doctor checks the registry; the engine must reach it too; then try again"


class EngineFull(PullFailed):
    """The engine has no room for the image."""

    code, phase = "DISK_FULL", "storage"

    def fix(self) -> str:
        return "make room where it keeps its images: docker system df; docker system prune"


class EngineWithoutGpus(SendoffError):
    """GPUs were asked of an engine that can't give containers them; its words say why."""

    code, phase = "GPU_IMPOSSIBLE", "admission"

    def __init__(self, count: int, said: str) -> None:
        super().__init__(count, said)
        self.count, self.said = count, said

    def what(self) -> str:
        gpus = "a GPU" if self.count == 1 else f"{self.count} GPUs"
        return f"the docker engine can't give a container {gpus}"

    def why(self) -> str:
        return self.said

    def fix(self) -> str:
        return (
            "install the NVIDIA Container Toolkit there, then nvidia-ctk runtime configure "
            "--runtime=docker, and restart the engine; or leave --gpu out"
        )


def of_pull(image: str, said: str) -> PullFailed:
    """The error of a pull of which the engine said this."""
    if _NO_ROOM.search(said):
        return EngineFull(image, said)
    return PullBroken(image, said) if may_pass(said) else PullFailed(image, said)
