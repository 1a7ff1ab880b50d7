"""Why a build failed: what buildx and its steps said, made into an error. Pure."""

from __future__ import annotations

import re

from packer.buildkit.errors import (
    BuilderDied,
    BuilderOutdated,
    BuilderUnfit,
    BuilderUnreachable,
    BuildFailed,
    BuildxMissing,
    CacheUnsupported,
    PackageUnknown,
)
from packer.buildkit.registry_errors import (
    PublishClosed,
    PublishRefused,
    RegistryUnreached,
    SourceImageGone,
)
from packer.buildkit.steps import Running, Steps, shown
from packer.errors import SendoffError

_BROKEN = re.compile(
    r"code = Unavailable|error reading from server|transport is closing|graceful_stop"
    r"|waiting for connection|connect to the Docker (?:daemon|API)",
    re.IGNORECASE,
)
"""gRPC's words, and the docker CLI's, for a server that is not there."""

_GONE = re.compile(
    rf"{_BROKEN.pattern}|connection (?:refused|reset|error)|no such host|i/o timeout|broken pipe"
    r"|deadline ?exceeded|network is unreachable|no route to host|TLS handshake timeout",
    re.IGNORECASE,
)
"""Those, and the words for any other: a registry, too, may be the one that is not there."""

_REQUEST = re.compile(r'\b(?:Get|Head|Post|Put|Patch) "?(https?://[^/"\s]+)')
"""What Go's HTTP client puts before the reason: in a step's error it is a registry's address."""

_NAMED = re.compile(r"\b(?:load metadata for|pushing) ([^/\s]+[.:][^/\s]*)/")
"""The registry in a step's name."""

_LACKING = re.compile(
    r"^(?:ERROR: )?(?:failed to build: )?(.+) is not supported for the (\S+) driver", re.MULTILINE
)
_CACHE_EXPORT = "Cache export"
"""buildx's name for the feature."""

_NO_PLUGIN = re.compile(r"'buildx' is not a docker command|unknown command: docker buildx")
"""What the docker CLI says, before and since version 28."""

_OLD = re.compile(r"unexpected key 'env'|unknown flag: (?:--)?(?:network|link|mount)")
"""A Dockerfile frontend on what it does not know yet."""

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
_PUSHING = re.compile(r"^(?:\[[^\]]*\] )?pushing ")
"""The step in which buildx has the docker engine push."""
_CLOSED = re.compile(r"\b405 (?:Method )?Not Allowed|\bunsupported:", re.IGNORECASE)
"""distribution-spec, "Error Codes": what a registry answers that takes nothing."""
_SOLVE = re.compile(r"^(?:ERROR: )?(?:failed to (?:build|solve): )*")


def explain(where: str, steps: Steps, said: str) -> SendoffError:
    """The error for a build at `where` that failed; `said` is what buildx wrote last."""
    words, failed = _last(said) or _last("\n".join(steps.said)), steps.failed
    if failed and _BOOT.search(failed.name):
        return BuilderUnreachable(where, failed.error)
    if failed and not _BROKEN.search(words) and (there := _unreached(failed)):
        return RegistryUnreached(shown(failed.name), failed.error, failed.tail, there)
    if (failed is None or _GONE.search(failed.error)) and _GONE.search(words):
        if steps.began:
            return BuilderDied(where, shown(steps.last), words)
        return BuilderUnreachable(where, words)
    if failed is None:
        return _of_buildx(words, "\n".join([*steps.said, said]), steps)
    return _of_step(failed.name, failed.error, failed.tail)


def _of_buildx(words: str, written: str, steps: Steps) -> BuildFailed:
    lacking = _LACKING.search(written)
    if lacking is None:
        return _of_step("", words, "\n".join(steps.said))
    kind = CacheUnsupported if lacking[1] == _CACHE_EXPORT else BuilderUnfit
    return kind(lacking[1], lacking[2])


def _unreached(failed: Running) -> str:
    """The registry that a step had no connection to; empty for none."""
    if not _GONE.search(failed.error) or _BROKEN.search(failed.error):
        return ""
    found = _REQUEST.search(failed.error) or _NAMED.search(failed.name)
    return found[1] if found else ""


def of_client(where: str, said: str) -> BuilderUnreachable:
    """The error where `docker buildx` could not so much as find or make a builder."""
    if _NO_PLUGIN.search(said):
        return BuildxMissing(where, "the docker CLI has no plugin of that name")
    return BuilderUnreachable(where, _last(said) or "it said nothing")


def _of_step(step: str, error: str, output: str) -> BuildFailed:
    image, pushing, step = _IMAGE.search(step), _PUSHING.search(step), shown(step)
    if image and "not found" in error:
        return SourceImageGone(step, error, output, image[1])
    if _OLD.search(error):
        return BuilderOutdated(step, error, output)
    if pushing or _PUSH.search(error):
        kind = PublishClosed if _CLOSED.search(error) else PublishRefused
        return kind(step, error, output)
    names = _PACKAGE.findall(output)
    if names and "Failed to fetch" not in output:
        return PackageUnknown(step, error, output, tuple(dict.fromkeys(names)))
    return BuildFailed(step, error, output)


def _last(text: str) -> str:
    """The last line that says something, without what buildx puts in front."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("{")]
    return _SOLVE.sub("", lines[-1]) if lines else ""
