"""Why a build failed: what buildx and its steps said, made into an error. Pure."""

from __future__ import annotations

import re

from packer.buildkit.errors import (
    BuilderDied,
    BuilderUnreachable,
    BuildFailed,
    BuildxMissing,
    PackageUnknown,
    PublishRefused,
    SourceImageGone,
)
from packer.buildkit.steps import Steps, shown
from packer.errors import SendoffError

_GONE = re.compile(
    r"code = Unavailable|connection (?:refused|reset|error)|error reading from server"
    r"|transport is closing|graceful_stop|no such host|i/o timeout|broken pipe"
    r"|waiting for connection|DeadlineExceeded|deadline exceeded"
    r"|connect to the Docker (?:daemon|API)",
    re.IGNORECASE,
)
"""gRPC's words, and the docker CLI's, for a server that is not there."""

_NO_PLUGIN = re.compile(r"'buildx' is not a docker command|unknown command: docker buildx")
"""What the docker CLI says, before and since version 28."""

_BOOT = re.compile(r"booting buildkit|waiting for connection")
"""buildx's own steps before there is a builder."""

_PACKAGE = re.compile(
    r"E: (?:Unable to locate package|Package '|Couldn't find any package by (?:glob|regex) ')"
    r"\s*([^\s']+)"
)
_IMAGE = re.compile(r"load metadata for (\S+)$")
"""The name of the step that looks for an image."""
_PUSH = re.compile(
    r"failed to (?:push|copy)|unexpected status from (?:POST|PUT|PATCH|HEAD) request"
)
_SOLVE = re.compile(r"^(?:ERROR: )?(?:failed to (?:build|solve): )*")


def explain(where: str, steps: Steps, said: str) -> SendoffError:
    """The error for a build at `where` that failed; `said` is what buildx wrote last."""
    words = _last(said) or _last("\n".join(steps.said))
    failed = steps.failed
    if failed and _BOOT.search(failed.name):
        return BuilderUnreachable(where, failed.error)
    if failed is None or _GONE.search(failed.error):
        if _GONE.search(words):
            if steps.began:
                return BuilderDied(where, shown(steps.last), words)
            return BuilderUnreachable(where, words)
        if failed is None:
            return _of_step("", words, "\n".join(steps.said))
    return _of_step(failed.name, failed.error, failed.tail)


def of_client(where: str, said: str) -> BuilderUnreachable:
    """The error where `docker buildx` could not so much as find or make a builder."""
    if _NO_PLUGIN.search(said):
        return BuildxMissing(where, "the docker CLI has no plugin of that name")
    return BuilderUnreachable(where, _last(said) or "it said nothing")


def _of_step(step: str, error: str, output: str) -> BuildFailed:
    image, step = _IMAGE.search(step), shown(step)
    if image and "not found" in error:
        return SourceImageGone(step, error, output, image[1])
    if _PUSH.search(error):
        return PublishRefused(step, error, output)
    if names := _PACKAGE.findall(output):
        return PackageUnknown(step, error, output, tuple(dict.fromkeys(names)))
    return BuildFailed(step, error, output)


def _last(text: str) -> str:
    """The last line that says something, without what buildx puts in front."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("{")]
    return _SOLVE.sub("", lines[-1]) if lines else ""
