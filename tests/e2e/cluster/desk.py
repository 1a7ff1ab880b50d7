"""What a researcher has on the desk: a project, the command line, and a cluster far away."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packer.images.descriptor import MANIFEST
from tests.e2e import desk
from tests.e2e.desk import PATIENCE
from tests.stack.stack import Stack

_REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d+) .*"(.*)"$')


_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Asked:
    """One request in the registry's access log."""

    method: str
    path: str
    status: int
    agent: str


class Site:
    """The stack as one group of researchers uses it: all names are theirs alone."""

    def __init__(self, stack: Stack, namespace: str) -> None:
        known = stack.known
        minio, name = known["minio"], os.urandom(4).hex()
        self.stack, self.namespace = stack, namespace
        self.bucket, self.prefix = minio["bucket"], f"e2e-{name}"
        self.store = f"{minio['url']}/{self.bucket}/{self.prefix}"
        self.store_in_cluster = f"{minio['url_in_cluster']}/{self.bucket}/{self.prefix}"
        self.repository = f"e2e-{name}/runs"
        self.registry = f"{known['registry']['address']}/{self.repository}"
        self.gateway: str = known["network"]["gateway"]

    def variables(self) -> dict[str, str]:
        """The servers, as a user would name them."""
        minio = self.stack.known["minio"]
        return {
            "SENDOFF_TARGET": "kubernetes",
            "SENDOFF_REGISTRY": self.registry,
            "SENDOFF_BASE": self.stack.known["images"]["base"],
            "SENDOFF_STORE": self.store,
            "SENDOFF_STORE_IN_CLUSTER": self.store_in_cluster,
            "SENDOFF_STORE_REGION": minio["region"],
            "SENDOFF_NAMESPACE": self.namespace,
            "SENDOFF_CPUS": "0.1",
            "SENDOFF_MEMORY": "256Mi",
            "AWS_ACCESS_KEY_ID": minio["access_key"],
            "AWS_SECRET_ACCESS_KEY": minio["secret_key"],
            "KUBECONFIG": self.stack.known["kubeconfig"]["researcher"],
        }

    def objects(self) -> Bucket:
        """Everything in the group's store, read without any of sendoff."""
        return Bucket(self.stack.known["minio"], self.prefix)

    def asked_of_registry(self, *, after: int = 0) -> list[Asked]:
        """What was asked about the group's repository, from a byte of the log on."""
        with self._registry_log.open("rb") as stream:
            stream.seek(after)
            lines = stream.read().decode().splitlines()
        found = [_REQUEST.search(line) for line in lines if f"/v2/{self.repository}/" in line]
        return [Asked(each[1], each[2], int(each[3]), each[4]) for each in found if each]

    def written_of_images(self, *, after: int) -> list[Asked]:
        """What was written there of images: what a run left of itself when it ended is none."""
        asked = [each for each in self.asked_of_registry(after=after) if each.method in _WRITING]
        named = [each.path.rpartition("/manifests/")[2] for each in asked if each.method == "PUT"]
        told = [self._manifest(each) for each in named if each.startswith("sha256:")]
        records = [each for each in told if "subject" in each]
        blobs = {blob["digest"] for each in records for blob in (each["config"], *each["layers"])}

        def is_record(one: Asked) -> bool:
            target = urllib.parse.unquote(one.path)
            if one.method == "POST" or "/manifests/sha256-" in target:
                return True
            if "/manifests/" in target:
                return "subject" in self._manifest(target.rpartition("/manifests/")[2])
            return target.rpartition("digest=")[2] in blobs

        return [each for each in asked if not is_record(each)]

    def _manifest(self, target: str) -> dict[str, Any]:
        url = f"http://{self.registry.partition('/')[0]}/v2/{self.repository}/manifests/{target}"
        asked = urllib.request.Request(url, headers={"Accept": MANIFEST})
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 (the stack)
            return dict(json.load(answer))

    def registry_log_size(self) -> int:
        return self._registry_log.stat().st_size

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """As the administrator, in the namespace."""
        return self.stack.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def of_run(self, kind: str, run: str) -> list[dict[str, Any]]:
        """The objects of a kind that belong to a run."""
        listed = self.kubectl("get", kind, "-l", f"sendoff.io/run={run}", "-o", "json")
        items: list[dict[str, Any]] = json.loads(listed)["items"]
        return items

    def pod(self, run: str, index: int) -> dict[str, Any]:
        """The latest pod of one of a run's completion indexes."""
        label = "batch.kubernetes.io/job-completion-index"
        pods = self.of_run("pods", run)
        found = [each for each in pods if each["metadata"]["labels"][label] == str(index)]
        return max(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    @property
    def _registry_log(self) -> Path:
        return Path(self.stack.known["servers"]["registry"]["log"])


class Bucket:
    """The objects below one prefix of MinIO, by key."""

    def __init__(self, minio: Mapping[str, str], prefix: str) -> None:
        from minio import Minio

        self._client = Minio(
            endpoint=minio["url"].partition("://")[2],
            access_key=minio["access_key"],
            secret_key=minio["secret_key"],
            region=minio["region"],
            secure=False,
        )
        self._bucket, self._prefix = minio["bucket"], f"{prefix}/"

    def keys(self, below: str = "") -> list[str]:
        found = self._client.list_objects(
            bucket_name=self._bucket, prefix=self._prefix + below, recursive=True
        )
        return [(each.object_name or "").removeprefix(self._prefix) for each in found]

    def read(self, key: str) -> bytes:
        answer = self._client.get_object(bucket_name=self._bucket, object_name=self._prefix + key)
        with answer:
            return answer.read()

    def write(self, key: str, data: bytes) -> None:
        from io import BytesIO

        self._client.put_object(
            bucket_name=self._bucket,
            object_name=self._prefix + key,
            data=BytesIO(data),
            length=len(data),
        )


class Desk(desk.Desk):
    """A project and the command line in it, for the servers of a site."""

    def __init__(self, folder: Path, site: Site, env: Mapping[str, str]) -> None:
        self.site, self.group = site, f"desk-{os.urandom(4).hex()}"
        super().__init__(folder, {**env, **site.variables(), "SENDOFF_GROUP": self.group})

    def clear(self) -> None:
        """Remove the Jobs of this desk, so that others have the GPUs."""
        label = f"sendoff.io/group={self.group}"
        self.site.kubectl("delete", "jobs", "-l", label, "--wait=false")


class Gate:
    """Where commands in pods wait until the test lets them go on: `WAIT` and its address."""

    WAIT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)\n"

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        self.address = [host, str(self._listener.getsockname()[1])]
        self._waiting: list[socket.socket] = []
        self._opened = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._accept, name="gate", daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Return when so many commands stand here."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._waiting) >= count, PATIENCE)

    def open(self) -> None:
        """Let everybody go on, whoever comes later too."""
        with self._changed:
            self._opened = True
            for each in self._waiting:
                each.close()

    def close(self) -> None:
        self.open()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._waiting.append(connection)
                if self._opened:
                    connection.close()
                self._changed.notify_all()
