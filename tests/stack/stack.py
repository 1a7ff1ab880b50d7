"""A running stack: where its servers are, how they are, and how to stop and start one of them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from typing import Any

from tests.stack import cluster, control_plane, node, services, state
from tests.stack.api import Api
from tests.stack.processes import Process, start, until
from tests.stack.programs import program
from tests.stack.server import Server, ailment
from tests.stack.site import NODE, Site

# In the order in which they are started.
SERVERS: dict[str, Callable[[Site], Server]] = {
    "registry": services.registry,
    "minio": services.minio,
    "etcd": control_plane.etcd,
    "containerd": node.containerd,
    "buildkitd": services.buildkitd,
    "apiserver": control_plane.api_server,
    "dockerd": services.dockerd,
    "controller-manager": control_plane.controller_manager,
    "scheduler": control_plane.scheduler,
    "kwok": control_plane.kwok,
    "kubelet": node.kubelet,
}
_PATIENCE = 60


class DidNotStart(Exception):
    """A server of the stack is not well although it was given time; its log says why."""


class Stack:
    """The stack that `known`, the state file's document, is about."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known
        self.site = Site.from_json(known["site"])

    @classmethod
    def running(cls) -> Stack | None:
        """The stack of this machine's user, if one was started and not ended."""
        known = state.read()
        return cls(known) if known else None

    @property
    def api(self) -> Api:
        return Api(self.site)

    def kubectl(self, *arguments: str, stdin: str = "", user: str = "admin") -> str:
        """What kubectl prints, as `user`.

        Raises:
            subprocess.CalledProcessError: it failed; `stderr` says why.
        """
        command = [str(program("kubectl")), f"--kubeconfig={self.site.kubeconfig(user)}"]
        done = subprocess.run(
            [*command, *arguments], input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout

    def process(self, name: str) -> Process | None:
        """The process of server `name` as recorded, whether or not it still runs."""
        self._refresh()
        found = self.known["servers"].get(name)
        return Process(found["pid"], found["started"]) if found else None

    def record(self, **values: Any) -> None:
        """Write `values` into the state file."""
        self._refresh()
        self.known.update(values)
        state.write(self.known)

    def _refresh(self) -> None:
        """Another process may have started a server again."""
        known = state.read()
        if known and known["directory"] == self.known["directory"]:
            self.known = known

    def ailment(self, name: str) -> str | None:
        """Why server `name` is not well, or None where it is."""
        process = self.process(name)
        if process is None:
            return "never started"
        if not process.alive:
            return f"process {process.pid} has ended"
        return ailment(self.known["servers"][name]["health"])

    def start(self, name: str) -> None:
        """Start server `name`, on the data it had if it ran before, and wait until it is well.

        Raises:
            DidNotStart: see the class.
        """
        log = self.site.log(name)
        said = log.stat().st_size if log.exists() else 0
        self.launch(name)
        self.wait(name)
        if name == "kubelet":
            self.give_gpus(said)

    def launch(self, name: str) -> None:
        """Start server `name`, unless it runs, without waiting for it."""
        process = self.process(name)
        if process and process.alive:
            return
        server = SERVERS[name](self.site)
        for path, text in server.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for path in server.leftovers:
            path.unlink(missing_ok=True)
        log, data = self.site.log(name), self.site.data(name)
        data.mkdir(exist_ok=True)
        started = start(server.command, env=server.environment, log=log, cwd=data)
        entry = {
            "pid": started.pid,
            "started": started.started,
            "health": server.health,
            "log": str(log),
            "command": list(server.command),
        }
        self.record(servers={**self.known["servers"], name: entry})

    def wait(self, name: str) -> None:
        """Wait until server `name` is well."""
        process = self.process(name)
        assert process, name
        until(lambda: not process.alive or self.ailment(name) is None, _PATIENCE)
        if reason := self.ailment(name):
            tail = self.site.log(name).read_text(errors="replace")[-2000:]
            raise DidNotStart(f"{name}: {reason}\n{tail}")

    def give_gpus(self, said: int = 0) -> None:
        """Wait until the real node is ready and has its simulated GPUs.

        A kubelet takes away what it doesn't know as it registers, so that is waited for in its
        log, after the first `said` bytes.
        """
        log = self.site.log("kubelet")

        def registered() -> bool:
            return b"Successfully registered node" in log.read_bytes()[said:]

        if not until(lambda: registered() and cluster.give_gpus(self.api), _PATIENCE):
            raise DidNotStart(f"node {NODE} is not ready: see {log}")

    def repair(self) -> None:
        """Start again what has died, have what was paused go on, and wait until all is well."""
        for name in SERVERS:
            self.resume(name)
            if self.ailment(name):
                self.start(name)
        self.settle()

    def settle(self) -> None:
        """Wait until the cluster takes runs."""
        if not until(lambda: cluster.settled(self.api) is None, _PATIENCE):
            raise DidNotStart(f"the cluster is not ready: {cluster.settled(self.api)}")
        with cluster.probing(self.api, self.known["images"]["pause"]) as runs:
            if not until(runs, 2 * _PATIENCE):
                raise DidNotStart(f"no pod starts on {NODE}")

    def stop(self, name: str) -> None:
        """Ask server `name` to end, and wait until it has."""
        if process := self.process(name):
            process.end(patience=15)

    def kill(self, name: str) -> None:
        """End server `name` at once, as a crash would."""
        if process := self.process(name):
            process.end()

    def pause(self, name: str) -> None:
        """Have server `name` answer nothing while its connections stay open."""
        if process := self.process(name):
            process.send(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        if process := self.process(name):
            process.send(signal.SIGCONT)
