"""What the front door says of builders."""

from __future__ import annotations

from packer.building.errors import (
    BuilderNeeded,
    BuildSecretMissing,
    SourceAltered,
    SourceUnusable,
    WheelNotBuilt,
)
from packer.buildkit.errors import (
    BuilderDied,
    BuilderInvalid,
    BuilderOutdated,
    BuilderUnfit,
    BuilderUnreachable,
    BuildFailed,
    BuildxMissing,
    PackageUnknown,
)
from packer.buildkit.registry_errors import (
    PublishClosed,
    PublishRefused,
    RegistryUnreached,
    SourceImageGone,
)
from packer.errors import SendoffError
from sendoff.terminal import failure

THERE = "unix:///run/buildkit/buildkitd.sock"
STEP = "[stage-0 2/3] RUN make install"
EXIT = 'process "/bin/sh -c make install" did not complete successfully: exit code: 2'

NOT_THERE = 'Head "https://registry.example/v2/": dial tcp: lookup registry.example: no such host'


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
        RegistryUnreached(STEP, NOT_THERE, "", "https://registry.example"),
        PublishRefused(STEP, "failed to push registry.example/a: 403 Forbidden", ""),
        PublishRefused(STEP, "failed to push registry.example/a: 404 Not Found", ""),
        PublishClosed(STEP, "failed to push registry.example/a: 405 Method Not Allowed", ""),
        BuilderUnfit("OCI exporter", "docker"),
        BuilderNeeded(
            "odd-1.0.tar.gz",
            "it was compiled here, no index has a wheel of it, and no builder answers",
            "--builder native packs the installed files as they are",
        ),
        SourceUnusable("odd-1.0.tar.gz", "its build requirements cannot be had: oddly>=2", "…"),
        SourceAltered(
            "odd-1.0.tar.gz",
            "odd 1.0",
            "file:///home/lee/dist/odd-1.0.tar.gz",
            "lib/python3.11/site-packages/odd/__init__.py",
        ),
        SourceAltered(
            "odd-1.0.tar.gz",
            "odd 1.0",
            "https://pypi.example/odd-1.0.tar.gz",
            "lib/python3.11/site-packages/odd/__init__.py",
            by_index=True,
        ),
        WheelNotBuilt("odd-1.0.tar.gz", "exit code: 1", "error: odd.h: No such file"),
        BuildSecretMissing("TOKEN"),
    ]


def test_errors(golden) -> None:
    texts = ["\n".join([error.code, *failure.lines(error)]) for error in errors()]
    golden("words/builder-errors.txt", "\n\n".join(texts) + "\n")
