"""Results and inputs of a pod at full size, to and from a real MinIO: whole, in bounded memory.

    python -m bench results

Takes some 25 GB of disk and ten minutes. Needs no root; MinIO is built the first time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

from bench.measure import Row
from dispatcher import inputs, results
from dispatcher.places import Places
from dispatcher.run import Manifest, Run
from dispatcher.store import Runs
from packer.digest import Digest
from tests import minio
from tests import pod as pods

GB, MB = 10**9, 10**6
SIZE = 5 * GB
MANY = 10_000
MEMORY = 200 * MB
LARGE = """
import os
piece = os.urandom(1 << 20)
with open('large', 'wb') as stream:
    left = %d
    while left:
        left -= stream.write(piece[:left])
"""
SMALL = """
import os
for n in range(10_000):
    os.makedirs(f'out/{n % 100}', exist_ok=True)
    open(f'out/{n % 100}/{n}', 'w').write(str(n) * 100)
"""
HOSTILE = """
import os
for n in range(1_000_000):
    if n % 1000 == 0: os.makedirs(f'{n // 1000}', exist_ok=True)
    os.close(os.open(f'{n // 1000}/{n}', os.O_CREAT))
open('metrics.json', 'w').write('{}')
"""
LOOK = """
import hashlib, os
with open('data/large', 'rb') as stream:
    print(hashlib.file_digest(stream, 'sha256').hexdigest())
"""


def rows(folder: Path) -> list[Row]:
    os.environ |= {"AWS_ACCESS_KEY_ID": minio.USER, "AWS_SECRET_ACCESS_KEY": minio.PASSWORD}
    with minio.server(folder / "minio") as server:
        places = Places(
            layout=folder / "images",
            cache=folder / "cache",
            state=folder / "state",
            store=server.url,
            region=minio.REGION,
        )
        return [
            *large(folder, places),
            *small(folder, places),
            *hostile(folder, places),
            *given(folder, places),
        ]


def large(folder: Path, places: Places) -> list[Row]:
    seconds, peak, manifest = work(folder, places, "large", LARGE % SIZE)
    same([(file.path, file.size) for file in manifest.files], [("large", SIZE)])
    fetched, began = folder / "fetched", time.monotonic()
    results.fetch(manifest.run, 0, places, fetched)
    taken = time.monotonic() - began
    (fetched / "large").unlink()
    return [
        memory("5 GB in one file, written, stored and hashed", seconds, peak),
        Row("the same fetched and verified", f"{taken:.0f} s", "", "whole", met=True),
    ]


def small(folder: Path, places: Places) -> list[Row]:
    seconds, peak, manifest = work(folder, places, "small", SMALL)
    same(len(manifest.files), MANY)
    began = time.monotonic()
    fetched = results.fetch(manifest.run, 0, places, folder / "fetched")
    same(len(fetched), MANY)
    taken = time.monotonic() - began
    return [
        memory("10,000 small files, written, stored and hashed", seconds, peak),
        Row("the same fetched and verified", f"{taken:.0f} s", "", "whole", met=True),
    ]


def hostile(folder: Path, places: Places) -> list[Row]:
    seconds, peak, manifest = work(folder, places, "hostile", HOSTILE, status=80)
    same(manifest.failure and manifest.failure.code, "UPLOAD_INCOMPLETE")
    same(manifest.files[0].path, "metrics.json")
    same(len(manifest.files), MANY)
    return [memory("a million files, refused but for 10,000", seconds, peak)]


def given(folder: Path, places: Places) -> list[Row]:
    source = folder / "large"
    piece, digest, left = os.urandom(1 << 20), hashlib.sha256(), SIZE
    with source.open("wb") as stream:
        while left:
            part = piece[:left]
            digest.update(part)
            left -= stream.write(part)
    began = time.monotonic()
    read = inputs.read(source, "data/large", places.cache)
    same(read.data.sha256, digest.hexdigest())
    same(inputs.send([read], places), SIZE)
    sent = time.monotonic() - began
    source.unlink()
    seconds, peak, _ = work(folder, places, "given", LOOK, data=inputs.told([read.data]))
    return [
        Row("5 GB of input, hashed and sent", f"{sent:.0f} s", "", "whole", met=True),
        memory("the same fetched, verified and read", seconds, peak),
    ]


def work(
    folder: Path, places: Places, name: str, code: str, status: int = 0, **assignment: object
) -> tuple[float, int, Manifest]:
    """Seconds, peak of the runner's memory, and the manifest of a pod with this module."""
    run = _run(name)
    runs = Runs.at(places)
    runs.add(run)
    (folder / name).mkdir()
    pod = pods.make(folder / name, places.store, runs.store)
    pod.code(main=code)
    began = time.monotonic()
    found = pod.run(["python", "main.py"], wait=1800, run=run.id, **assignment)
    seconds = time.monotonic() - began
    same((found, pod.err), (status, ""))
    manifest = runs.manifest(run.id, 0)
    if manifest is None:
        raise RuntimeError(f"{run.id} has no manifest")
    shutil.rmtree(pod.folder)
    return seconds, pod.peak, manifest


def same(found: object, wanted: object) -> None:
    """Stop where something did not come out as it must."""
    if found != wanted:
        raise RuntimeError(f"{found!r} is not {wanted!r}")


def memory(what: str, seconds: float, peak: int) -> Row:
    """A row whose goal is the runner's memory."""
    figure = f"{peak / MB:.0f} MB, {seconds:.0f} s"
    return Row(what, figure, "", f"< {MEMORY / MB:.0f} MB", peak < MEMORY)


def _run(name: str) -> Run:
    from dispatcher.request import Input, Request
    from dispatcher.run import new_id

    digest = Digest(pods.DIGEST)
    command = Input(command=("python", "main.py"), digest=digest)
    return Run(
        id=new_id(name),
        created="2026-11-24T00:00:00Z",
        request=Request(inputs=(command,), repository="images"),
        snapshot=digest,
        environment=digest,
    )
