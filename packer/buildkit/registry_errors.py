"""What goes wrong between BuildKit and registries, whose words are always shown."""

from __future__ import annotations

import re

from packer.buildkit.errors import BuildFailed

_BARRED = re.compile(
    r"\b(?:401|403)\b (?:Unauthorized|Forbidden)|unauthorized|denied|insufficient_scope"
    r"|authorization failed|no basic auth",
    re.IGNORECASE,
)
"""What registries, and their clients, say to those who may not."""


class SourceImageGone(BuildFailed):
    """An image that a build starts from is not where it is said to be."""

    code = "DIGEST_GONE"

    def __init__(self, step: str, error: str, output: str, reference: str) -> None:
        super().__init__(step, error, output)
        self.reference = reference

    def what(self) -> str:
        return f"the builder finds no image {self.reference}"

    def why(self) -> str:
        return self.error

    def fix(self) -> str:
        return "it was removed, or the builder may not read it: push it, or name another"


class RegistryUnreached(BuildFailed):
    """The builder is there, and has no connection to a registry."""

    code, phase, retryable = "REGISTRY_UNREACHABLE", "registry", True

    def __init__(self, step: str, error: str, output: str, address: str) -> None:
        """`address`: "https://registry.example", or of it what is known: "registry.example"."""
        super().__init__(step, error, output)
        self.address = address

    def what(self) -> str:
        return f"the builder cannot reach {self.address.rpartition('/')[2]}"

    def why(self) -> str:
        return self.error

    def fix(self) -> str:
        return f"check name and network from where the builder is: curl -i {self.address}/v2/"


class PublishRefused(BuildFailed):
    """The registry did not take what was built."""

    code = "PUBLISH_REFUSED"

    def what(self) -> str:
        return "the registry did not take what was built"

    def why(self) -> str:
        return self.error

    def fix(self) -> str:
        if _BARRED.search(self.error):
            return "log the builder in with the right to push (docker login), and do the same again"
        return "ask who runs the registry, with these words"


class PublishClosed(PublishRefused):
    """The registry takes nothing, or not now."""

    code, phase, retryable = "REGISTRY_READ_ONLY", "registry", True

    def what(self) -> str:
        return "the registry takes no uploads from the builder"

    def fix(self) -> str:
        return "wait until it is open again, or name another registry"
