"""Why an image is not there: it does not exist, may not be had, or is slow to come. Pure."""

from __future__ import annotations

import re

from dispatcher.kubernetes.run_objects import Waiting
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble, trouble
from dispatcher.pulls import may_pass

PULLING = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"),
        *("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"),
    }
)
_GONE = re.compile(
    r"not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN", re.IGNORECASE
)
_REFUSED = re.compile(
    r"\b40[13]\b|unauthorized|authentication required|authorization failed|access denied"
    r"|insufficient_scope|forbidden",
    re.IGNORECASE,
)


# As containerd says it, and CRI-O of an index and of a single image.
_UNFIT = re.compile(
    r"no match for platform|no image found .* for architecture|architecture mismatch",
    re.IGNORECASE,
)

# Code, message and remedy of each kind.
_BAD_NAME = (
    "IMAGE_PULL",
    "the image's name is not valid",
    "see registry-in-cluster in [tool.sendoff]",
)
_NOT_ALLOWED = (
    "REGISTRY_AUTH",
    "the registry does not let the nodes have the image",
    "name a pull secret: pull-secret in [tool.sendoff]",
)
_NOT_THERE = (
    "DIGEST_GONE",
    "the registry that the nodes pull from does not have the image",
    "pack and push it again: sendoff pack; or see registry-in-cluster in [tool.sendoff]",
)
_OTHER_PLATFORM = (
    "PLATFORM_UNFIT",
    "the image is for another platform than the node's",
    "images are packed for linux/amd64: keep to such nodes, by node-selector in [tool.sendoff]",
)
_ON_THE_WAY = (
    "IMAGE_PULL",
    "the image can't be pulled",
    "sendoff doctor checks the registry; the nodes must reach it too",
)


def of_pull(waiting: Waiting, said: list[str], since: float, settings: ClusterSettings) -> Trouble:
    """The trouble behind a container that waits for its image.

    `said` is what events say; where the kubelet backs off, only they may have the cause.
    """
    evidence = [waiting.message, *said] if waiting.message else said
    code, message, fix = kind = _kind(waiting.reason, "\n".join(evidence))
    passing = kind == _ON_THE_WAY
    return trouble(
        code,
        message,
        blame="infra" if passing else "config",
        evidence=evidence,
        fix=fix,
        since=since,
        grace=settings.pending_timeout if passing else settings.image_timeout,
    )


def _kind(reason: str, text: str) -> tuple[str, str, str]:
    if reason == "InvalidImageName":
        return _BAD_NAME
    # A registry that fails may say "not found" of its parts, so trouble on the way comes first.
    if may_pass(text):
        return _ON_THE_WAY
    if _UNFIT.search(text):
        return _OTHER_PLATFORM
    if _REFUSED.search(text):
        return _NOT_ALLOWED
    return _NOT_THERE if _GONE.search(text) else _ON_THE_WAY
