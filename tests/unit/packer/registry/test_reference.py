"""Names of repositories and images."""

from __future__ import annotations

import pytest

from packer.registry.errors import ReferenceInvalid
from packer.registry.reference import Reference, Repository, is_loopback

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("registry.example.com/team/project", "registry.example.com", "team/project"),
        ("localhost/x", "localhost", "x"),
        ("localhost:5000/x", "localhost:5000", "x"),
        ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c"),
        ("[::1]:5000/x", "[::1]:5000", "x"),
        ("REGISTRY.example.com/x", "REGISTRY.example.com", "x"),
        ("ghcr.io/some-one/a__b.c", "ghcr.io", "some-one/a__b.c"),
    ],
)
def test_repositories(text: str, host: str, path: str) -> None:
    parsed = Repository.parse(text)
    assert (parsed.host, parsed.path) == (host, path)
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "project",
        "team/project",
        "registry.example.com",
        "registry.example.com/",
        "registry.example.com/Team",
        "registry.example.com/a//b",
        "registry.example.com/a/",
        "registry.example.com/-a",
        "registry.example.com/a:tag",
        "registry.example.com:port/a",
        "https://registry.example.com/a",
        "user@registry.example.com/a",
        "registry.example.com/../a",
        "registry.example.com/" + "a" * 250,
        ".example.com/a",
    ],
)
def test_no_repositories(text: str) -> None:
    with pytest.raises(ReferenceInvalid) as caught:
        Repository.parse(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.12-slim", "docker.io/library/python:3.12-slim"),
        ("someone/thing", "docker.io/someone/thing:latest"),
        ("host:5000/thing", "host:5000/thing:latest"),
        ("host:5000/thing:tag", "host:5000/thing:tag"),
        (f"host.io/thing@{DIGEST}", f"host.io/thing@{DIGEST}"),
        (f"host.io/thing:tag@{DIGEST}", f"host.io/thing:tag@{DIGEST}"),
    ],
)
def test_references(text: str, whole: str) -> None:
    parsed = Reference.parse(text)
    assert str(parsed) == whole
    assert parsed.target == (DIGEST if "@" in text else parsed.tag)
    assert Reference.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":tag",
        "a:",
        "a:-b",
        "a@",
        "a@sha256:00",
        "A",
        "a b",
        f"a@{DIGEST[:-1]}g",
        "a:" + "b" * 129,
    ],
)
def test_no_references(text: str) -> None:
    with pytest.raises(ReferenceInvalid):
        Reference.parse(text)


def test_docker_hub_is_served_by_another_host() -> None:
    assert Reference.parse("python").repository.server == "registry-1.docker.io"
    assert Repository.parse("ghcr.io/a").server == "ghcr.io"


@pytest.mark.parametrize(
    ("server", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("registry.localhost:5000", True),
        ("127.0.0.1", True),
        ("127.8.9.10:1", True),
        ("[::1]:5000", True),
        ("127.0.0.1.example.com", False),
        ("notlocalhost", False),
        ("localhost.example.com:5000", False),
        ("10.0.0.1:5000", False),
        ("[::2]:5000", False),
    ],
)
def test_what_is_this_machine(server: str, loopback: bool) -> None:
    assert is_loopback(server) is loopback
