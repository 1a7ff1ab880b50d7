"""What the front door says of builders."""

from __future__ import annotations

from packer.building.errors import (
    BuilderNeeded,
    BuildSecretMissing,
    SourceUnusable,
    WheelNotBuilt,
)
from packer.buildkit.errors import (
    BuilderDied,
    BuilderInvalid,
    BuilderOutdated,
    BuilderUnreachable,
    BuildFailed,
    BuildxMissing,
    PackageUnknown,
    PublishRefused,
    SourceImageGone,
)
from packer.errors import SendoffError
from sendoff.terminal import failure

THERE = "unix:///run/buildkit/buildkitd.sock"
STEP = "[stage-0 2/3] RUN make install"
EXIT = 'process "/bin/sh -c make install" did not complete successfully: exit code: 2'


def errors() -> list[SendoffError]:
    return [
        BuilderInvalid("podman", "it begins with none of docker-container, kubernetes, tcp, unix"),
        BuilderUnreachable(THERE, "Connection refused"),
        BuildxMissing("docker", "the docker CLI has no plugin of that name"),
        BuilderDied(THERE, STEP, "failed to receive status: rpc error: code = Unavailable"),
        BuildFailed(STEP, EXIT, "cc -c fast.c\nfast.c:1: fatal error: odd.h: No such file\n"),
        BuildFailed("", "dockerfile parse error on line 2: unknown instruction: RUB", ""),
        BuilderOutdated("", "dockerfile parse error line 6: unexpected key 'env'", ""),
        PackageUnknown(STEP, EXIT, "E: Unable to locate package libod", ("libod",)),
        SourceImageGone(STEP, "not found", "", "registry.example/base@sha256:0123"),
        PublishRefused(STEP, "failed to push registry.example/a: 405 Method Not Allowed", ""),
        BuilderNeeded(
            "odd-1.0.tar.gz",
            "it was compiled here, no index has a wheel of it, and no builder answers",
            "--builder native packs the installed files as they are",
        ),
        SourceUnusable("odd-1.0.tar.gz", "its build requirements cannot be had: oddly>=2", "…"),
        WheelNotBuilt("odd-1.0.tar.gz", "exit code: 1", "error: odd.h: No such file"),
        BuildSecretMissing("TOKEN"),
    ]


def test_errors(golden) -> None:
    texts = ["\n".join([error.code, *failure.lines(error)]) for error in errors()]
    golden("words/builder-errors.txt", "\n\n".join(texts) + "\n")
