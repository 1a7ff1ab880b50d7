"""A namespace of the test's own, a researcher with the least Role in it, and runs to send there."""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from dispatcher import dispatch
from dispatcher.kubernetes import rights
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.rights import Right
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.places import Places
from dispatcher.request import Input, Request
from dispatcher.run import Manifest, Run, new_id
from dispatcher.status import IndexStatus, RunStatus
from dispatcher.store import Runs
from packer.digest import Digest
from tests.faults.proxy import Proxy
from tests.stack.kubernetes import run_image
from tests.stack.kubernetes.run_image import REPOSITORY
from tests.stack.stack import Stack
from tests.stack.tenancy import tenancy

T = TypeVar("T")
_REVIEW = "authorization.k8s.io"
_RBAC = "rbac.authorization.k8s.io"


def named(some: Iterable[Right]) -> set[tuple[str, str, str]]:
    """Group, resource and verb of each."""
    return {(each.group, each.resource, each.verb) for each in some}


@dataclass
class Lab:
    """A namespace, its researcher, and a store."""

    stack: Stack
    namespace: str
    places: Places
    digest: Digest
    sent: list[str] = field(default_factory=list)

    @property
    def settings(self) -> ClusterSettings:
        assert self.places.cluster
        return self.places.cluster

    @property
    def repository(self) -> str:
        return f"{self.stack.known['registry']['address']}/{REPOSITORY}"

    @property
    def runs(self) -> Runs:
        return Runs.at(self.places)

    def client(self, patience: float = 30) -> Client:
        return Client(self.settings, patience)

    @property
    def admin(self) -> Client:
        path = self.stack.known["kubeconfig"]["admin"]
        return Client(ClusterSettings(kubeconfig=path, namespace=self.namespace))

    def through(self, proxy: Proxy, user: str = "researcher") -> Lab:
        """The same lab, its API server reached through a proxy that fails on demand."""
        return self.with_settings(kubeconfig=str(self.kubeconfig(proxy, self.token(user))))

    def storing_through(self, proxy: Proxy) -> Lab:
        """The same lab, whose pods reach the store through a proxy that fails on demand."""
        gateway = self.stack.known["network"]["gateway"]
        path = urllib.parse.urlsplit(self.places.store_in_cluster).path
        store = f"http://{gateway}:{proxy.port}{path}"
        places = msgspec.structs.replace(self.places, store_in_cluster=store)
        return Lab(self.stack, self.namespace, places, self.digest, self.sent)

    def token(self, user: str) -> str:
        return str(self.stack.known["tokens"][user])

    def kubeconfig(self, proxy: Proxy, token: str = "", **user: str) -> Path:
        """A kubeconfig of one user, whose server is the proxy."""
        path = self.places.state / f"kubeconfig-{proxy.port}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cluster = {"server": f"http://127.0.0.1:{proxy.port}"}
        document = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token, **user}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(document))
        return path

    def with_settings(self, **settings: Any) -> Lab:
        """The same lab, its cluster used in another way."""
        cluster = msgspec.structs.replace(self.settings, **settings)
        places = msgspec.structs.replace(self.places, cluster=cluster)
        return Lab(self.stack, self.namespace, places, self.digest, self.sent)

    def granted(self) -> set[tuple[str, str, str]]:
        """Group, resource and verb of all that `kubectl auth can-i --list` says is allowed."""
        spec = {"namespace": self.settings.namespace}
        review = {"apiVersion": f"{_REVIEW}/v1", "kind": "SelfSubjectRulesReview", "spec": spec}
        answer = self.client().ask(f"/apis/{_REVIEW}/v1/selfsubjectrulesreviews", review)
        status = json.loads(answer)["status"]
        assert not status["incomplete"], status
        return {
            (group, resource, verb)
            for rule in status["resourceRules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            # Everybody may ask who they are and what they may.
            if not resource.startswith("selfsubject")
        }

    @contextmanager
    def allowed(self, proxy: Proxy, granted: Collection[Right]) -> Iterator[Lab]:
        """The same lab for somebody who has these rights in the namespace, and no others."""
        name = f"account-{os.urandom(4).hex()}"
        role = {"apiGroup": _RBAC, "kind": "Role", "name": name}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        kinds: dict[str, tuple[str, dict[str, Any]]] = {
            "ServiceAccount": ("v1", {}),
            "Role": (f"{_RBAC}/v1", {"rules": rights.rules(granted)}),
            "RoleBinding": (f"{_RBAC}/v1", {"roleRef": role, "subjects": [subject]}),
        }
        self.apply(
            *(
                {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}
                for kind, (version, content) in kinds.items()
            )
        )
        try:
            token = self.kubectl("create", "token", name).strip()
            made = self.with_settings(kubeconfig=str(self.kubeconfig(proxy, token)))
            self.until(lambda: made.granted() == named(granted))
            yield made
        finally:
            for kind in kinds:
                self.kubectl("delete", kind, name)

    def run(self, *commands: list[str], digest: Digest | None = None, **request: Any) -> Run:
        """A run of these commands, not sent off yet."""
        given = digest or self.digest
        asked = {"repository": self.repository, "target": "kubernetes", "grace": 2.0, **request}
        return Run(
            id=new_id(str(request.get("name") or "test")),
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            request=Request(
                inputs=tuple(Input(command=tuple(each), digest=given) for each in commands), **asked
            ),
            snapshot=given,
            environment=given,
        )

    def submit(self, *commands: list[str], **request: Any) -> Run:
        """A run of these commands, sent off."""
        return self.send(self.run(*commands, **request))

    def send(self, run: Run) -> Run:
        self.sent.append(run.id)
        return dispatch.submit(run, self.places)

    def wait(self, run: Run, timeout: float = 60) -> RunStatus:
        """The status of a run that has ended."""
        (status,) = dispatch.wait([run.id], self.places, timeout)
        assert status.final, f"{status}\n{self.describe(run)}"
        return status

    def end(self, *commands: list[str], **request: Any) -> Manifest:
        """What became of the first index of a run of these commands."""
        manifest = self.wait(self.submit(*commands, **request)).indexes[0].manifest
        assert manifest
        return manifest

    def index(self, run: Run, number: int = 0) -> IndexStatus:
        """How an index is now."""
        return dispatch.status(run.id, self.places).indexes[number]

    def until(self, condition: Callable[[], T], seconds: float = 60) -> T:
        """The first true value of `condition`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.05)
        return value

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """As the administrator, in the namespace."""
        return self.stack.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl(
            "apply",
            "-f",
            "-",
            stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}),
        )

    def objects(self, kind: str, run: Run | None = None) -> list[dict[str, Any]]:
        """The namespace's objects of a kind, those of a run."""
        selector = ["-l", f"sendoff.io/run={run.id}"] if run else []
        items: list[dict[str, Any]] = json.loads(
            self.kubectl("get", kind, *selector, "-o", "json")
        )["items"]
        return items

    def pods(self, run: Run) -> list[dict[str, Any]]:
        return self.objects("pods", run)

    def log(self, run: Run, index: int = 0) -> str:
        """What a command printed, as stored."""
        from dispatcher import logs

        return "".join(
            event.text for event in logs.follow(run.id, index, self.places, follow=False)
        )

    def describe(self, run: Run) -> str:
        """What the cluster says, for a failed assertion."""
        events = self.kubectl("get", "events", "--sort-by=.lastTimestamp")
        pods = self.kubectl("describe", "pods", "-l", f"sendoff.io/run={run.id}")
        nodes = self.stack.kubectl("get", "nodes", "-o", "wide")
        return f"{pods}\n{events[-3000:]}\n{nodes}"


@pytest.fixture(scope="session")
def digest(stack: Stack) -> Digest:
    """An image with the runner and an empty project."""
    return run_image.push(stack.known, {"README": "empty"})


@pytest.fixture(scope="module")
def namespace(stack: Stack) -> Iterator[str]:
    """A namespace whose researcher has the least Role."""
    with tenancy(stack, "lab", quota=False) as name:
        yield name


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    """Between a client and the API server."""
    url = urllib.parse.urlsplit(stack.known["api"]["url"])
    tls = ssl.create_default_context(cafile=stack.known["api"]["ca"])
    where = (url.hostname or "", url.port or 443)
    with Proxy(where, upstream_tls=tls, upstream_name=url.hostname) as made:
        yield made


@pytest.fixture
def before_store(stack: Stack) -> Iterator[Proxy]:
    """Between pods and MinIO."""
    url = urllib.parse.urlsplit(stack.known["minio"]["url_in_cluster"])
    where = (url.hostname or "", url.port or 80)
    with Proxy(where, host=stack.known["network"]["gateway"]) as made:
        yield made


@pytest.fixture
def lab(
    stack: Stack,
    namespace: str,
    digest: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lab]:
    known = stack.known
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", known["minio"]["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", known["minio"]["secret_key"])
    prefix = f"{namespace}/{os.urandom(4).hex()}"
    bucket = known["minio"]["bucket"]
    cluster = ClusterSettings(
        kubeconfig=known["kubeconfig"]["researcher"],
        namespace=namespace,
        cpus=0.1,
        memory=128 << 20,
        flush=10,
    )
    places = Places(
        layout=tmp_path / "images",
        store=f"{known['minio']['url']}/{bucket}/{prefix}",
        store_in_cluster=f"{known['minio']['url_in_cluster']}/{bucket}/{prefix}",
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        region=known["minio"]["region"],
        cluster=cluster,
    )
    made = Lab(stack, namespace, places, digest)
    yield made
    for run in made.sent:
        made.kubectl("delete", "job", run, "--ignore-not-found", "--wait=false")
