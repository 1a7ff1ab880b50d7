"""BuildKit asked to build, for real: results, secrets, caches, and everything that goes wrong."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.buildkit import address
from packer.buildkit.build import Build, Output, Secret
from packer.buildkit.builder import Builder
from packer.buildkit.errors import (
    BuilderDied,
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
from packer.digest import Digest
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.registries.process import RegistryProcess
from tests.stack.buildkit.second import SecondBuilder
from tests.stack.processes import until
from tests.stack.stack import Stack


class Told:
    """A progress listener that lets a test wait for a step."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def start(self, what: str, total: int = 0) -> None:
        assert not total
        self.steps.append(what)

    def advance(self, amount: int) -> None: ...

    def done(self, note: str = "") -> None: ...


def base(stack: Stack) -> str:
    return str(stack.known["images"]["base"])


def repository(stack: Stack, name: str) -> str:
    return f"{stack.known['registry']['address']}/builds/{name}"


def test_files_come_back_and_steps_are_told(builder: Builder, stack: Stack, tmp_path: Path) -> None:
    told = Told()
    text = f"FROM {base(stack)} AS made\nRUN mkdir /tmp/out && echo ${{WORD}} > /tmp/out/word\n"
    text = text.replace("AS made\n", "AS made\nARG WORD\n")
    text += "FROM scratch\nCOPY --from=made /tmp/out /\n"
    build = Build(
        dockerfile=text, arguments={"WORD": "hello"}, output=Output.files(tmp_path / "out")
    )
    built = builder.build(build, told)
    assert (tmp_path / "out" / "word").read_text() == "hello\n"
    assert built.digest is None
    run = next(step for step in built.steps if "RUN mkdir" in step.name)
    assert run.cached or run.seconds > 0
    assert told.steps


def test_an_image_is_pushed_and_its_digest_known(builder: Builder, stack: Stack) -> None:
    name = repository(stack, "pushed")
    build = Build(dockerfile=f"FROM {base(stack)}\nENV A=1\n", output=Output.pushed(f"{name}:1"))
    built = builder.build(build)
    assert built.digest
    again = Build(dockerfile=f"FROM {name}@{built.digest}\nRUN test $A = 1\n")
    assert builder.build(again).digest is None


def test_several_are_baked_at_once(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "file").write_text("content")
    text = "FROM scratch AS first\nCOPY file /one\nFROM first\nCOPY file /${NOT_ONE}two\n"
    outputs = {name: tmp_path / f"{name}, with a comma" for name in ("one", "two")}
    built = builder.bake(
        {
            name: Build(
                dockerfile=text,
                context=tmp_path / "context",
                output=Output.layout(folder),
                target="first" if name == "one" else "",
            )
            for name, folder in outputs.items()
        }
    )
    assert built["one"].digest != built["two"].digest
    for name, folder in outputs.items():
        index = json.loads((folder / "index.json").read_text())
        (manifest,) = index["manifests"]
        assert Digest(manifest["digest"]) == built[name].digest


def test_a_secret_is_read_and_in_no_layer(
    builder: Builder, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hidden-by-heart")
    text = (
        f"FROM {base(stack)} AS made\nUSER 0\n"
        'RUN --mount=type=secret,id=TOKEN,env=TOKEN printf "${#TOKEN}" > /length\n'
        "FROM scratch\nCOPY --from=made /length /length\n"
    )
    build = Build(
        dockerfile=text,
        secrets=(Secret(name="TOKEN"),),
        output=Output.layout(tmp_path / "layout"),
    )
    builder.build(build)
    blobs = [path.read_bytes() for path in (tmp_path / "layout" / "blobs" / "sha256").iterdir()]
    assert blobs
    assert not [blob for blob in blobs if b"hidden-by-heart" in blob]


def test_a_cache_in_the_registry_saves_another_the_work(
    builder: Builder, stack: Stack, tmp_path: Path
) -> None:
    text = f"FROM {base(stack)}\nUSER 0\nRUN date > /made\n"
    build = Build(dockerfile=text, cache=repository(stack, "cache"))
    builder.build(build)
    with SecondBuilder(stack.known["registry"]["address"]) as second:
        other = Builder(address.parse(second.address), tmp_path / "second")
        told = other.build(build)
        assert any("importing cache manifest" in step.name for step in told.steps)
        assert next(step for step in told.steps if "RUN date" in step.name).cached
        told = other.build(replace(build, fresh=True))
        assert not next(step for step in told.steps if "RUN date" in step.name).cached


def test_a_step_that_fails_is_named_with_what_it_said(builder: Builder, stack: Stack) -> None:
    text = f"FROM {base(stack)}\nRUN echo it is wrong >&2; exit 3\n"
    with pytest.raises(BuildFailed) as failed:
        builder.build(Build(dockerfile=text))
    assert failed.value.code == "BUILD_FAILED"
    assert "RUN echo it is wrong" in failed.value.what()
    assert "exit code: 3" in failed.value.why()
    assert failed.value.evidence() == "it is wrong"


def test_a_dockerfile_that_is_none_says_where(builder: Builder) -> None:
    with pytest.raises(BuildFailed) as failed:
        builder.build(Build(dockerfile="FROM scratch\nRUB it\n"))
    assert "RUB" in str(failed.value.as_dict())


def test_an_unknown_package_is_named(builder: Builder, stack: Stack) -> None:
    text = (
        f"FROM {base(stack)}\nUSER 0\n"
        "RUN apt-get install --yes no-such-package and-no-such-package\n"
    )
    with pytest.raises(PackageUnknown) as failed:
        builder.build(Build(dockerfile=text))
    assert "no-such-package" in failed.value.what()


@pytest.mark.parametrize("host", ["", "nowhere.invalid/"])
def test_a_cache_that_can_not_be_had_is_not_blamed(
    builder: Builder, stack: Stack, host: str
) -> None:
    cache = f"{host}cache:none" if host else f"{repository(stack, 'no-cache')}:none"
    build = Build(dockerfile="", cache=cache)
    for ask in (builder.build, lambda each: builder.bake({"one": each})):
        # What a step of the same digest says just after another is not always told again.
        step = f"RUN : {os.urandom(4).hex()}; apt-get install --yes no-such-package"
        with pytest.raises(PackageUnknown) as failed:
            ask(replace(build, dockerfile=f"FROM {base(stack)}\nUSER 0\n{step}\n"))
        assert "no-such-package" in failed.value.evidence()
    with pytest.raises(BuildFailed) as malformed:
        builder.build(replace(build, dockerfile="FROM scratch\nRUB it\n"))
    assert "RUB" in malformed.value.why()
    assert builder.build(replace(build, dockerfile=f"FROM {base(stack)}\nRUN true\n")).steps


def test_a_registry_out_of_the_builder_s_reach_is_named(builder: Builder, stack: Stack) -> None:
    for host in ("127.0.0.1:9", "nowhere.invalid"):
        builds = [
            Build(dockerfile=f"FROM {host}/base@sha256:{'0' * 64}\nRUN true\n"),
            Build(dockerfile="FROM scratch\nENV A=1\n", output=Output.pushed(f"{host}/a:1")),
        ]
        for build in builds:
            with pytest.raises(RegistryUnreached) as failed:
                builder.build(build)
            assert host in failed.value.what()
            assert failed.value.code == "REGISTRY_UNREACHABLE"
        with pytest.raises(RegistryUnreached):
            builder.bake({"one": builds[0], "two": Build(dockerfile=f"FROM {base(stack)}\n")})


def test_a_registry_that_is_closed_is_no_missing_login(builder: Builder, tmp_path: Path) -> None:
    with RegistryProcess(tmp_path / "closed", read_only=True) as closed:
        output = Output.pushed(f"{closed.host}/a:1")
        with pytest.raises(PublishClosed) as failed:
            builder.build(Build(dockerfile="FROM scratch\nENV A=1\n", output=output))
    assert failed.value.code == "REGISTRY_READ_ONLY"
    assert "docker login" not in failed.value.fix()


def test_a_base_that_is_gone_is_named(builder: Builder, stack: Stack) -> None:
    gone = f"{base(stack).partition('@')[0]}@sha256:{'0' * 64}"
    with pytest.raises(SourceImageGone) as failed:
        builder.build(Build(dockerfile=f"FROM {gone}\nRUN true\n"))
    assert gone in failed.value.what()


def test_a_registry_that_takes_nothing_is_told(builder: Builder, stack: Stack) -> None:
    # An HTTP server that is no registry.
    stranger = stack.site.local("etcd")
    build = Build(dockerfile="FROM scratch\nENV A=1\n", output=Output.pushed(f"{stranger}/a:1"))
    with pytest.raises(PublishRefused):
        builder.build(build)


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize("place", ["unix:///nowhere/buildkitd.sock", "tcp://127.0.0.1:9"])
def test_no_builder_there_is_told_at_once(place: str, tmp_path: Path) -> None:
    with pytest.raises(BuilderUnreachable) as failed:
        Builder(address.parse(place), tmp_path).build(Build(dockerfile="FROM scratch\n"))
    assert place in failed.value.what()
    assert "SENDOFF_BUILDER" in failed.value.fix()


def test_no_docker_cli_is_told_with_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildxMissing) as failed:
        Builder(address.parse(""), tmp_path).check()
    assert failed.value.code == "BUILDER_UNREACHABLE"
    assert "docs.docker.com" in failed.value.fix()


@pytest.mark.usefixtures("cli")
def test_the_engine_s_own_builder(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", stack.known["docker"]["host"])
    engine = Builder(address.parse("docker"), tmp_path)
    engine.build(
        Build(
            dockerfile="FROM scratch\nCOPY file /\n",
            context=_context(tmp_path),
            output=Output.files(tmp_path / "out"),
        )
    )
    assert (tmp_path / "out" / "file").read_text() == "content"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(BuilderUnreachable):
        Builder(address.parse("docker"), tmp_path).build(Build(dockerfile="FROM scratch\n"))


@pytest.mark.usefixtures("cli")
def test_what_the_engine_s_own_builder_can_not_do(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack's engine has images of its own, not in containerd's store."""
    monkeypatch.setenv("DOCKER_HOST", stack.known["docker"]["host"])
    engine = Builder(address.parse("docker"), tmp_path)
    build = Build(dockerfile="FROM scratch\nCOPY file /\n", context=_context(tmp_path))
    layout = replace(build, output=Output.layout(tmp_path / "layout"))
    for ask in (engine.build, lambda each: engine.bake({"one": each})):
        with pytest.raises(BuilderUnfit) as refused:
            ask(layout)
        assert refused.value.feature == "OCI exporter"
    shared = replace(build, cache=repository(stack, "engine-cache") + ":none")
    files = replace(shared, output=Output.files(tmp_path / "out"))
    engine.build(files)
    assert (tmp_path / "out" / "file").read_text() == "content"
    assert engine.bake({"one": shared}).keys() == {"one"}


def test_a_builder_that_dies_in_the_middle_publishes_nothing(
    stack_alone: Stack, builder: Builder, tmp_path: Path
) -> None:
    name = repository(stack_alone, "died")
    text = f"FROM {base(stack_alone)}\nRUN sleep 600\n"
    build = Build(dockerfile=text, output=Output.pushed(f"{name}:1"))
    told = Told()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            builder.build(build, told)
        except BuilderDied as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert until(lambda: any("sleep 600" in step for step in told.steps), 30)
    stack_alone.kill("buildkitd")
    thread.join(30)
    (died,) = raised
    assert isinstance(died, BuilderDied)
    assert "sleep 600" in died.why()
    assert died.code == "BUILDER_DIED"
    registry = Registry(Repository.parse(name), Access(), tmp_path / "cache")
    assert registry.has("1") is None


def _context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "file").write_text("content")
    return folder
