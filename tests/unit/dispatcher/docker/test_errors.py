"""What is told of an image that an engine can't pull."""

from __future__ import annotations

import pytest

from dispatcher import diagnosis
from dispatcher.docker.errors import of_pull

IMAGE = f"r.example/x@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "said",
    [
        "received unexpected HTTP status: 503 Service Unavailable",
        "unexpected EOF",
        "toomanyrequests: You have reached your pull rate limit",
        "filesystem layer verification failed for digest sha256:d230f3d62c81",
        'Get "http://r.example/v2/": dial tcp 127.0.0.1:9: connect: connection refused',
    ],
)
def test_trouble_on_the_way_may_pass(said):
    error = of_pull(IMAGE, said)
    assert (error.code, error.why(), error.retryable) == ("IMAGE_PULL", said, True)
    assert diagnosis.blame(error) == "infra"
    assert "docker login" not in error.fix()


@pytest.mark.parametrize(
    "said",
    [
        "unauthorized: authentication required",
        "unknown blob",
        # A digest and a name that have an HTTP status and a word of Go's in them.
        f"manifest for r.example/geoffrey@sha256:{'a429' * 16} not found: manifest unknown",
    ],
)
def test_what_the_registry_will_not_give_stays_so(said):
    error = of_pull(IMAGE, said)
    assert (error.code, error.why(), error.retryable) == ("IMAGE_PULL", said, False)


def test_an_engine_without_room():
    said = "failed to register layer: write /usr/lib/libc.so: no space left on device"
    error = of_pull(IMAGE, said)
    assert (error.code, error.why(), diagnosis.blame(error)) == ("DISK_FULL", said, "infra")
    assert "docker system" in error.fix()
