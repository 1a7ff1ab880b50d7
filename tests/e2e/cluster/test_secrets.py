"""What is secret stays where it was put, and what a run was lent goes with it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from packer.image_paths import RUNNER, site_packages
from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import until

LIBRARIES = f"{RUNNER}/{site_packages('3.11')}"
# What a command can do with the runner's own client and credentials, which it may read.
TRYING = f"""\
import io, json, sys, types
sys.path.insert(0, {LIBRARIES!r})
# What the runner does without needs packages that are not there.
sys.modules['minio.minioadmin'] = types.ModuleType('minio.minioadmin')
sys.modules['minio.minioadmin'].MinioAdmin = None
import minio

lent = json.load(open('/etc/sendoff/credentials.json'))
told = json.load(open('/etc/sendoff/assignment.json'))
host, bucket, prefix = told['store']['url'].split('://')[1].split('/', 2)
client = minio.Minio(
    endpoint=host, secure=False, region=told['store']['region'], access_key=lent['access_key'],
    secret_key=lent['secret_key'], session_token=lent['session_token'],
)
other, run = sys.argv[1], told['run']

def put(key):
    return lambda: client.put_object(
        bucket_name=bucket, object_name=prefix + '/' + key, data=io.BytesIO(b'x'), length=1
    )

def get(key):
    return lambda: client.get_object(bucket_name=bucket, object_name=prefix + '/' + key).read()

def names(below):
    return lambda: list(
        client.list_objects(bucket_name=bucket, prefix=below and prefix + '/' + below)
    )

def delete(key):
    return lambda: client.remove_object(bucket_name=bucket, object_name=prefix + '/' + key)

def can(what):
    try:
        what()
    except minio.error.S3Error as error:
        return error.code
    return 'done'

answers = {{
    'read its own request': can(get(f'runs/{{run}}/run.json')),
    'write a result of its own': can(put(f'runs/{{run}}/0/1/files/forged.txt')),
    'see its own names': can(names(f'runs/{{run}}/')),
    'change its own request': can(put(f'runs/{{run}}/run.json')),
    'cancel itself': can(put(f'runs/{{run}}/cancel.json')),
    'delete its own result': can(delete(f'runs/{{run}}/0/1/files/forged.txt')),
    'read another request': can(get(f'runs/{{other}}/run.json')),
    'read another result': can(get(f'runs/{{other}}/0/manifest.json')),
    'see names of another': can(names(f'runs/{{other}}/')),
    'see all runs': can(names('runs/')),
    'see the whole bucket': can(names('')),
    'write into another': can(put(f'runs/{{other}}/0/1/files/forged.txt')),
    'commit for another': can(put(f'runs/{{other}}/1/manifest.json')),
    'write an input': can(put('inputs/sha256/' + '0' * 64)),
    'see the buckets': can(client.list_buckets),
    'make a bucket': can(lambda: client.make_bucket(bucket_name='sendoff-forged')),
}}
json.dump(answers, open('answers.json', 'w'))
"""
ALLOWED = {"read its own request", "write a result of its own", "see its own names"}


@pytest.fixture
def secret(desk: Desk) -> Iterator[str]:
    """A value that is in the user's own Secret, and as yet nowhere else."""
    value = f"hush-{os.urandom(12).hex()}"
    desk.site.kubectl("create", "secret", "generic", "sendoff", f"--from-literal=TOKEN={value}")
    yield value
    desk.site.kubectl("delete", "secret", "sendoff")


def test_a_secret_is_nowhere_but_in_its_own_secret(desk: Desk, secret: str) -> None:
    desk.write(
        "main.py",
        "import hashlib, os\n"
        "print(hashlib.sha256(os.environ['TOKEN'].encode()).hexdigest())\n"
        "open('out.txt', 'w').write('done')\n",
    )
    began, before = time.time(), _log_sizes(desk)
    done = desk("run", "--secret", "TOKEN", "--", "python", "main.py")
    told = hashlib.sha256(secret.encode()).hexdigest()
    assert done.stdout.strip() == told, (done.returncode, done.stderr)
    run = desk.json("ps")[0]["id"]
    hidden = [secret.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode()]
    looked, found = 0, []
    for where, data in _everywhere(desk, run, began, before):
        looked += 1
        found += [where for text in hidden if text in data]
    assert found == ["secret sendoff"]
    assert looked > 40


def test_a_command_cannot_leave_its_run(desk: Desk) -> None:
    desk.write("main.py", "print('mine')\n")
    other = desk.sent("run", "--", "python", "main.py")
    desk.done("wait", other)
    desk.write("main.py", TRYING)
    run = desk.sent("run", "--output", "*.json", "--", "python", "main.py", other)
    assert desk("wait", run).returncode == 0, desk("logs", run).stderr
    desk.done("get", run, "answers.json", "-o", "got")
    answers = json.loads((desk.project / "got" / "answers.json").read_text())
    assert {what for what, answer in answers.items() if answer == "done"} == ALLOWED
    refused = {answer for what, answer in answers.items() if what not in ALLOWED}
    assert refused <= {"AccessDenied"}, answers
    assert desk.done("logs", other) == "mine\n"


def test_nothing_is_left_behind_after_its_time(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", gate.WAIT)
    command = ["--", "python", "main.py", *gate.address]
    short = {"SENDOFF_KEEP": "1", "SENDOFF_GRACE": "1"}
    kept, cancelled = (desk.sent("run", *command, **short) for _ in range(2))
    gate.wait_for(2)
    assert [len(desk.site.of_run("secrets", run)) for run in (kept, cancelled)] == [1, 1]
    desk.done("cancel", cancelled)
    gate.open()
    desk.done("wait", kept)
    assert desk("wait", cancelled).returncode == 1
    for kind in ("jobs", "pods", "secrets"):
        for run in (kept, cancelled):
            until(lambda kind=kind, run=run: desk.site.of_run(kind, run) == [], 60)
    assert [desk.json("show", run)["state"] for run in (kept, cancelled)] == [
        "succeeded",
        "cancelled",
    ]


def _everywhere(
    desk: Desk, run: str, began: float, before: dict[Path, int]
) -> Iterator[tuple[str, bytes]]:
    """All that a run leaves anywhere: where, and the bytes."""
    objects = desk.site.objects()
    for key in objects.keys(f"runs/{run}/"):
        yield f"store {key}", objects.read(key)
    for place in (desk.home, Path(desk.env["XDG_CACHE_HOME"])):
        for path in place.rglob("*"):
            if path.is_file() and path.stat().st_mtime >= began:
                yield from _opened(str(path), path.read_bytes())
    yield from _image(desk, desk.index(run)["digest"])
    for kind in ("jobs", "pods", "events", "configmaps", "secrets"):
        listed = json.loads(desk.site.kubectl("get", kind, "-o", "json"))
        for each in listed["items"]:
            name = f"{each['kind'].lower()} {each['metadata']['name']}"
            yield name, json.dumps(each).encode()
            for file, value in each.get("data", {}).items():
                if name != "secret sendoff":
                    data = base64.b64decode(value) if kind == "secrets" else value.encode()
                    yield from _opened(f"{name} {file}", data)
    for log, size in before.items():
        yield str(log), log.read_bytes()[size:]


def _image(desk: Desk, digest: str) -> Iterator[tuple[str, bytes]]:
    """An image as the registry has it."""
    url = f"{desk.site.stack.known['registry']['url']}/v2/{desk.site.repository}"
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    asked = urllib.request.Request(f"{url}/manifests/{digest}", headers=accept)  # noqa: S310
    manifest = _read(asked)
    yield f"registry {digest}", manifest
    document = json.loads(manifest)
    for blob in (document["config"], *document["layers"]):
        found = _read(f"{url}/blobs/{blob['digest']}")
        yield from _opened(f"registry {blob['digest']}", found)


def _read(asked: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 (the stack's own)
        return bytes(answer.read())


def _opened(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield where, data
    if data.startswith(b"\x1f\x8b"):
        yield f"{where}, unpacked", gzip.decompress(data)


def _log_sizes(desk: Desk) -> dict[Path, int]:
    """The logs of the stack's servers, and how long they are."""
    servers = desk.site.stack.known["servers"].values()
    logs = [Path(each["log"]) for each in servers] + [desk.site.stack.site.audit_log]
    return {log: log.stat().st_size for log in logs if log.exists()}
