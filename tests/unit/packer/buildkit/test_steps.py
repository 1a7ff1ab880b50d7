"""Lines as buildx 0.38 wrote them, shortened."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from packer.buildkit import failure
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
from packer.buildkit.steps import Steps
from packer.progress import SILENT


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def start(self, what: str, total: int = 0) -> None:
        assert not total
        self.heard.append(f"start {what}")

    def advance(self, amount: int) -> None:
        raise AssertionError(amount)

    def done(self, note: str = "") -> None:
        self.heard.append(f"done {note}".strip())


def vertex(name: str, second: int = 0, *, ended: int = 0, **fields: object) -> dict[str, object]:
    found: dict[str, object] = {"digest": f"sha256:{name}", "name": name, **fields}
    if second:
        found["started"] = f"2025-01-01T00:00:{second:02}.123456789Z"
    if ended:
        found["completed"] = f"2025-01-01T00:00:{ended:02}.623456789Z"
    return found


def line(*vertexes: dict[str, object], said: str = "", by: str = "", stream: int = 1) -> str:
    log = {"vertex": f"sha256:{by}", "stream": stream, "data": b64encode(said.encode()).decode()}
    return json.dumps({"vertexes": list(vertexes), "logs": [log] if by else None}) + "\n"


def fed(*lines: str, listener: Listener | None = None) -> Steps:
    steps = Steps(listener or SILENT)
    for each in lines:
        steps.feed(each)
    steps.close()
    return steps


def test_one_step_after_the_other_is_told_and_how_long_it_took() -> None:
    listener = Listener()
    steps = fed(
        line(vertex("a", 1), vertex("b", 1)),
        line(vertex("b", 1, ended=2)),
        line(vertex("c", 2)),
        line(vertex("a", 1, ended=4)),
        line(vertex("c", 2, ended=5, cached=True)),
        listener=listener,
    )
    assert listener.heard == ["start a", "done", "start c", "done cached"]
    assert [(each.name, each.seconds, each.cached) for each in steps.done] == [
        ("b", 1.5, False),
        ("a", 3.5, False),
        ("c", 3.5, True),
    ]


def test_a_step_s_output_is_kept_from_its_end() -> None:
    steps = fed(
        line(vertex("RUN make", 1)),
        line(said="one\ntw", by="RUN make"),
        line(said="o\n10%\r20%\n", by="RUN make"),
        line(said="".join(f"{number}\n" for number in range(60)), by="RUN make"),
        line(vertex("RUN make", 1, ended=2, error="exit code: 2")),
    )
    assert steps.failed
    assert steps.failed.tail.splitlines()[:2] == ["10", "11"]
    assert steps.failed.tail.endswith("59")


def test_two_streams_do_not_break_each_other_s_lines() -> None:
    steps = fed(
        line(vertex("RUN apt", 1)),
        line(said="Reading state...", by="RUN apt"),
        line(said="E", by="RUN apt", stream=2),
        line(said="\n", by="RUN apt"),
        line(said=": Unable to locate package curly\n", by="RUN apt", stream=2),
        line(vertex("RUN apt", 1, ended=2, error="exit code: 100")),
    )
    found = failure.explain("unix:///b", steps, "ERROR: failed to solve: …")
    assert isinstance(found, PackageUnknown)
    assert found.names == ("curly",)


def test_the_step_that_failed_is_not_one_that_was_cancelled_for_it() -> None:
    steps = fed(
        line(vertex("b", 1, ended=2, error="context canceled")),
        line(vertex("a", 1, ended=2, error="exit code: 2")),
    )
    assert steps.failed
    assert steps.failed.name == "a"


def test_the_step_that_failed_is_the_first_that_ended_so() -> None:
    steps = fed(
        line(vertex("b", 1), vertex("a", 1)),
        line(vertex("a", 1, ended=2, error="exit code: 2")),
        line(vertex("b", 1, ended=3, error="exit code: 3")),
    )
    assert steps.failed
    assert steps.failed.name == "a"


CACHE = "importing cache manifest from r.example/cache:wheel-0123"


@pytest.mark.parametrize("name", [CACHE, f"[base] {CACHE}"])
def test_a_cache_that_is_not_there_is_no_step_that_failed(name: str) -> None:
    missing = vertex(name, 1, ended=2, error="r.example/cache:wheel-0123: not found")
    left = vertex("exporting cache to registry", 5, ended=6, error="401 Unauthorized")
    steps = fed(
        line(missing),
        line(vertex("RUN make", 3)),
        line(said="it is wrong\n", by="RUN make"),
        line(vertex("RUN make", 3, ended=4, error="exit code: 2")),
        line(left),
    )
    found = failure.explain("unix:///b", steps, "ERROR: failed to build: failed to solve: …")
    assert type(found) is BuildFailed
    assert (found.step, found.evidence()) == ("RUN make", "it is wrong")
    words = "dockerfile parse error on line 2: unknown instruction: RUB"
    found = failure.explain("unix:///b", fed(line(missing)), f"ERROR: failed to solve: {words}")
    assert found.why() == words


@pytest.mark.parametrize(
    ("name", "error", "said", "kind", "shown"),
    [
        ("RUN false", "exit code: 1", "it is wrong\n", BuildFailed, "RUN false"),
        (
            "RUN apt-get install -y nosuch",
            "exit code: 100",
            "E: Unable to locate package nosuch\n",
            PackageUnknown,
            "nosuch",
        ),
        (
            "RUN apt-get install -y curl",
            "exit code: 100",
            "W: Failed to fetch http://deb.example/InRelease\nE: Unable to locate package curl\n",
            BuildFailed,
            "RUN apt-get",
        ),
        (
            "",
            "dockerfile parse error line 6: unexpected key 'env' in 'env=TOKEN'",
            "",
            BuilderOutdated,
            "too old",
        ),
        (
            "[internal] load metadata for r.example/base@sha256:1",
            "r.example/base@sha256:1: not found",
            "",
            SourceImageGone,
            "r.example/base@sha256:1",
        ),
        (
            "pushing layers",
            "failed to push r.example/a: unexpected status from POST request: 405 Not Allowed",
            "",
            PublishClosed,
            "takes no uploads",
        ),
        (
            "exporting to image",
            "failed to push r.example/a: unexpected status from POST request: 404 Not Found",
            "",
            PublishRefused,
            "registry",
        ),
        (
            "pushing r.example/a:1 with docker",
            "denied: requested access to the resource is denied",
            "",
            PublishRefused,
            "registry",
        ),
    ],
)
def test_a_step_that_fails_says_what_it_said(
    name: str, error: str, said: str, kind: type[BuildFailed], shown: str
) -> None:
    steps = fed(line(vertex(name, 1)), line(said=said, by=name))
    steps.feed(line(vertex(name, 1, ended=2, error=error)))
    found = failure.explain("unix:///b", steps, "ERROR: failed to build: failed to solve: …")
    assert type(found) is kind
    assert shown in found.what()
    assert found.evidence() == said.strip()
    assert found.fix()


GONE = 'ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading: EOF"'


def test_a_builder_that_goes_away_is_not_a_step_that_failed() -> None:
    running = fed(line(vertex("RUN make", 1)))
    died = failure.explain("unix:///b", running, f"{line(vertex('RUN make', 1))}{GONE}\n")
    assert isinstance(died, BuilderDied)
    assert "RUN make" in died.why()
    assert died.evidence().startswith("failed to receive status")
    assert died.retryable
    assert isinstance(failure.explain("unix:///b", fed(), GONE), BuilderUnreachable)


REFUSED = "dial tcp 127.0.0.1:9: connect: connection refused"
UNKNOWN = "dial tcp: lookup r.example on 10.0.0.2:53: no such host"


@pytest.mark.parametrize(
    ("name", "error", "address"),
    [
        (
            "[internal] load metadata for r.example:9/base@sha256:1",
            f'failed to do request: Head "http://r.example:9/v2/base/manifests/1": {REFUSED}',
            "http://r.example:9",
        ),
        ("[a internal] load metadata for r.example:9/base:1", UNKNOWN, "r.example:9"),
        (
            "[a 1/2] FROM r.example/base@sha256:1",
            f'failed to copy: failed to do request: Get "https://r.example/v2/base": {UNKNOWN}',
            "https://r.example",
        ),
        (
            "exporting to image",
            f'failed to push a: failed to do request: Head "https://r.example/v2": {UNKNOWN}',
            "https://r.example",
        ),
        ("pushing r.example/a:1 with docker", "i/o timeout", "r.example"),
    ],
)
def test_a_registry_that_is_not_there_is_no_builder_that_died(
    name: str, error: str, address: str
) -> None:
    steps = fed(line(vertex(name, 1, ended=2, error=error)))
    found = failure.explain("unix:///b", steps, f"ERROR: failed to build: failed to solve: {error}")
    assert isinstance(found, RegistryUnreached)
    assert (found.code, found.retryable) == ("REGISTRY_UNREACHABLE", True)
    assert found.why() == error
    assert f"curl -i {address}/v2/" in found.fix()
    # Where it is the builder after all, gRPC says so.
    assert isinstance(failure.explain("unix:///b", steps, GONE), BuilderDied)


def test_who_may_not_push_is_told_to_log_in_and_others_are_not() -> None:
    assert "docker login" in PublishRefused("", "403 Forbidden", "").fix()
    assert "docker login" not in PublishRefused("", "404 Not Found", "").fix()
    assert "docker login" not in PublishClosed("", "405 Method Not Allowed", "").fix()


@pytest.mark.parametrize(
    ("feature", "kind"), [("OCI exporter", BuilderUnfit), ("Cache export", CacheUnsupported)]
)
def test_what_a_driver_can_not_do(feature: str, kind: type[BuilderUnfit]) -> None:
    said = (
        f"ERROR: failed to build: {feature} is not supported for the docker driver.\n"
        "Switch to a different driver, or turn on the containerd image store, and try again.\n"
        "Learn more at https://docs.docker.com/go/build-exporters/\n"
    )
    found = failure.explain("docker", fed(), said)
    assert type(found) is kind
    assert found.code == "BUILDER_UNFIT"
    assert found.why() == f"{feature} is not supported for the docker driver"
    assert "containerd" in found.fix()


def test_what_buildx_itself_says_is_told_where_no_step_failed() -> None:
    found = failure.explain("docker", fed(), "ERROR: unknown flag: --rubbish\n")
    assert isinstance(found, BuildFailed)
    assert found.why() == "unknown flag: --rubbish"


@pytest.mark.parametrize(
    "said",
    [
        "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n",
        "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information\n",
    ],
)
def test_a_docker_cli_without_its_plugin(said: str) -> None:
    found = failure.of_client("docker", said)
    assert isinstance(found, BuildxMissing)
    assert found.code == "BUILDER_UNREACHABLE"
    other = failure.of_client("docker", 'ERROR: no builder "x" found\n')
    assert type(other) is BuilderUnreachable
    assert other.why() == 'no builder "x" found'


def test_a_builder_that_could_not_be_started_was_never_there() -> None:
    refused = vertex("[internal] booting buildkit", 1, ended=2, error="pods are forbidden")
    found = failure.explain("kubernetes", fed(line(refused)), "")
    assert isinstance(found, BuilderUnreachable)
    assert found.why() == "pods are forbidden"
