"""The tools that sendoff's push is compared with, set up as they are fastest."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from bench.measure import command, shell

# What `docker buildx` is asked for besides: no attestations, which would only cost it time.
_PLAIN = ("--provenance=false", "--sbom=false", "--progress=quiet")
_OUTPUTS = {
    "gzip": "compression=gzip",
    "zstd": "compression=zstd,compression-level=1",
    "reproducible": "compression=gzip,rewrite-timestamp=true",
}
# A cached step of some 100 MB, as the installation of an environment is.
_ENVIRONMENT = "FROM {base}\nUSER 0\nRUN cp -r /usr/lib /opt/environment\n"


class BuildKit:
    """buildkitd on a socket of its own, and `docker buildx` pointed at it."""

    def __init__(self, folder: Path, registry: str) -> None:
        self._folder, self._registry = folder, registry
        self._socket = folder / "buildkitd.sock"
        self._environment = {
            **os.environ,
            "DOCKER_CONFIG": str(folder / "docker"),
            "BUILDX_CONFIG": str(folder / "buildx"),
        }

    def __enter__(self) -> Self:
        from tests.stack.programs import program

        self._folder.mkdir(parents=True)
        plugin = self._folder / "docker" / "cli-plugins" / "docker-buildx"
        plugin.parent.mkdir(parents=True)
        plugin.symlink_to(program("buildx"))
        config = self._folder / "buildkitd.toml"
        config.write_text(
            f'root = "{self._folder / "root"}"\n'
            f'[grpc]\naddress = ["unix://{self._socket}"]\n'
            "[worker.containerd]\nenabled = false\n"
            '[worker.oci]\nenabled = true\nsnapshotter = "overlayfs"\n'
            f'binary = "{program("runc")}"\n'
            f'[registry."{self._registry}"]\nhttp = true\n'
        )
        with (self._folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(
                [program("buildkitd"), f"--config={config}"], stdout=log, stderr=log
            )
        self._wait()
        create = ["create", "--name", "bench", "--driver", "remote", f"unix://{self._socket}"]
        self._buildx(create, {})()
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.terminate()
        self._daemon.wait()
        shutil.rmtree(self._folder / "root", ignore_errors=True)

    def environment(self, base: str, name: str) -> None:
        """Push what the project's images are built on, as a base for the others."""
        empty = self._folder / "empty"
        empty.mkdir(exist_ok=True)
        self._build(empty, _ENVIRONMENT.format(base=base), name, "gzip")()

    def push(self, project: Path, base: str, name: str, codec: str) -> Callable[[], object]:
        """Build `project` on its environment with `COPY --link`, and push it.

        `codec` is one of `_OUTPUTS`.
        """
        dockerfile = _ENVIRONMENT.format(base=base) + "COPY --link . /workspace\n"
        return self._build(project, dockerfile, name, codec)

    def build(
        self,
        dockerfile: str,
        name: str,
        codec: str,
        contexts: dict[str, Path],
        arguments: dict[str, str],
    ) -> Callable[[], object]:
        """Build a Dockerfile that takes all it needs from named `contexts`, and push it."""
        empty = self._folder / "empty"
        empty.mkdir(exist_ok=True)
        further = [f"--build-context={key}={path}" for key, path in contexts.items()]
        further += [f"--build-arg={key}={value}" for key, value in arguments.items()]
        return self._build(empty, dockerfile, name, codec, further)

    def _build(
        self,
        context: Path,
        dockerfile: str,
        name: str,
        codec: str,
        further: Sequence[str] = (),
    ) -> Callable[[], object]:
        path = self._folder / f"{context.parent.name}.Dockerfile"
        path.write_text(dockerfile)
        output = f"type=image,name={name},push=true,oci-mediatypes=true,{_OUTPUTS[codec]}"
        arguments = ["build", "--builder=bench", *_PLAIN, f"--output={output}"]
        epoch = {"SOURCE_DATE_EPOCH": "0"} if codec == "reproducible" else {}
        arguments += further
        return self._buildx([*arguments, f"--file={path}", str(context)], epoch)

    def _buildx(self, arguments: list[str], environment: dict[str, str]) -> Callable[[], object]:
        return command(["docker", "buildx", *arguments], env=self._environment | environment)

    def _wait(self) -> None:
        while self._daemon.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if not probe.connect_ex(str(self._socket)):
                    return
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text())


def crane(project: Path, folder: Path, base: str, name: str) -> Callable[[], object]:
    """A layer made by tar and appended to `base` by crane, which compresses it."""
    from tests.stack.programs import program

    plain = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu"
    transform = "--transform=s,^./,workspace/,"
    return shell(
        f"tar {plain} {transform} -C {project} -cf {folder}/layer.tar . && "
        f"{program('crane')} append --insecure -b {base} -f {folder}/layer.tar -t {name}"
    )
