"""What the front door says of registries."""

from __future__ import annotations

from packer.errors import SendoffError
from packer.registry.errors import (
    AnswerAltered,
    AnswerUnreadable,
    BaseUnknown,
    DigestGone,
    LoginUnreadable,
    PlatformMissing,
    PullInterrupted,
    PushInterrupted,
    RedirectRefused,
    ReferenceInvalid,
    RegistryAuth,
    RegistryReadOnly,
    RegistryRefused,
    RegistryUnreachable,
    RegistryUntrusted,
)
from sendoff.terminal import failure

HOST = "registry.example.com"
THERE = f"{HOST}/team/project"
DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "fedcba9876543210" * 4
WORDS = "401 UNAUTHORIZED: authentication required"
CONFIG = "/home/ann/.docker/config.json"


def errors() -> list[SendoffError]:
    return [
        ReferenceInvalid("team/project", "it does not begin with a registry's host"),
        RegistryAuth(THERE, "push to", "", WORDS, known=False),
        RegistryAuth(THERE, "push to", CONFIG, WORDS, known=False),
        RegistryAuth(THERE, "push to", "REGISTRY_PASSWORD", "403 DENIED: quota", known=True),
        RegistryAuth(THERE, "read", "", WORDS, known=True),
        LoginUnreadable(HOST, "docker-credential-desktop not installed or not available in PATH"),
        RegistryUnreachable(HOST, f"https://{HOST}", "[Errno 111] Connection refused"),
        RegistryUntrusted(HOST, "certificate verify failed: self-signed certificate", plain=False),
        RegistryUntrusted(HOST, "[SSL: WRONG_VERSION_NUMBER] wrong version number", plain=True),
        PushInterrupted(THERE, DIGEST[:19], "503 Service Unavailable", 60.0),
        PullInterrupted(THERE, "manifests/1", "the read operation timed out", 60.0),
        DigestGone(THERE, DIGEST, "404 MANIFEST_UNKNOWN: manifest unknown"),
        BaseUnknown("docker.io/library/python", "3.99", "404 MANIFEST_UNKNOWN: manifest unknown"),
        PlatformMissing("python:3.12", "linux/s390x", ("linux/amd64", "linux/arm64/v8")),
        PlatformMissing("python:3.12", "linux/s390x", ()),
        AnswerAltered(DIGEST, OTHER, THERE),
        AnswerUnreadable(THERE, "GET: Expecting value: line 1 column 1 (char 0)"),
        RegistryReadOnly(THERE, "405 UNSUPPORTED: The operation is unsupported."),
        RegistryRefused(THERE, "store the manifest v1", 400, "400 TAG_INVALID: immutable"),
        RegistryRefused(THERE, f"take {DIGEST[:19]}", 413, "413 Request Entity Too Large"),
        RegistryRefused(THERE, f"take {DIGEST[:19]}", 404, "404 NAME_UNKNOWN: no such repository"),
        RedirectRefused(HOST, "http://cdn.example.com/x", "that address is not encrypted"),
    ]


def test_errors(golden) -> None:
    texts = [
        "\n".join([f"{error.code}{' (retryable)' * error.retryable}", *failure.lines(error)])
        for error in errors()
    ]
    golden("words/registry-errors.txt", "\n\n".join(texts) + "\n")
