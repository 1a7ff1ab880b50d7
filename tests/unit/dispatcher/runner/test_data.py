"""Data that a run was given, in its working directory."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import msgspec
import pytest

from dispatcher import inputs
from dispatcher.run import Manifest
from dispatcher.runner import exit_status
from dispatcher.runner.store import Missing
from tests import minio
from tests.faults.faults import Answer, CutAnswer, Delay, Slow

MB = 1 << 20
LOOK = """
import hashlib, json, os, sys
found = {}
for folder, _, names in os.walk('data'):
    for name in names:
        path = os.path.join(folder, name)
        status = os.stat(path)
        with open(path, 'rb') as stream:
            found[path] = [hashlib.sha256(stream.read()).hexdigest(), oct(status.st_mode & 0o777)]
print(json.dumps(found, sort_keys=True))
"""


@pytest.fixture
def given(tmp_path) -> list[tuple[Path, str]]:
    """A folder, and a file."""
    folder = tmp_path / "outside"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/x").write_bytes(b"x" * 100)
    (folder / "same").write_bytes(b"x" * 100)
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (tmp_path / "one.bin").write_bytes(os.urandom(3 * MB))
    return [(folder, "data/set"), (tmp_path / "one.bin", "data/one.bin")]


def told(pod, given, monkeypatch) -> list[dict]:
    """Send it, and return what a pod is told of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.USER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio.PASSWORD)
    from dispatcher.places import Places

    nowhere = pod.folder / "nowhere"
    places = Places(
        layout=nowhere, cache=nowhere, state=nowhere, store=pod.url, region=minio.REGION
    )
    sources = [inputs.read(source, path, nowhere) for source, path in given]
    inputs.send(sources, places)
    return inputs.told([source.data for source in sources])


def expected(given) -> dict[str, list[str]]:
    import hashlib

    found = {}
    for source, path in given:
        files = [source] if source.is_file() else [x for x in source.rglob("*") if x.is_file()]
        for file in files:
            name = path if source.is_file() else f"{path}/{file.relative_to(source)}"
            mode = "0o555" if file.stat().st_mode & 0o100 else "0o444"
            found[name] = [hashlib.sha256(file.read_bytes()).hexdigest(), mode]
    return found


def test_it_is_there_before_the_start_and_is_no_result(pod, given, monkeypatch):
    import json

    pod.code(main=LOOK + "open('result', 'w').write('1')")
    data = told(pod, given, monkeypatch)
    assert pod.run(["python", "main.py"], data=data) == 0, pod.err
    assert json.loads(pod.out) == expected(given)
    assert [file.path for file in pod.manifest().files] == ["result"]
    root = pod.scratch / "work/0-1/workspace/data"
    assert stat.S_IMODE((root / "set/deep").stat().st_mode) == 0o555
    # Beside it there is room for the command's own.
    assert stat.S_IMODE(root.stat().st_mode) & 0o200


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user takes root")
def test_a_user_can_not_write_to_it(pod, given, monkeypatch):
    code = (
        "import os\nos.setuid(65534)\n"
        "for path in ('data/one.bin', 'data/set/new', 'data/set/deep/er/x'):\n"
        "    try: open(path, 'r+b' if os.path.exists(path) else 'wb')\n"
        "    except PermissionError: print('refused')\n"
    )
    pod.code(main=code)
    for folder in (pod.folder, *pod.folder.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    assert pod.run(["python", "main.py"], data=told(pod, given, monkeypatch)) == 0, pod.err
    assert pod.out == "refused\n" * 3


def test_inputs_of_one_pod_share_what_was_fetched(pod, proxy, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    proxy.forget()
    commands = [["cat", "data/set/same"], ["cat", "data/set/deep/er/x"], ["ls", "data"]]
    assert pod.run(*commands, data=data, per_pod=3) == 0, pod.err
    assert pod.out == "x" * 200 + "one.bin\nset\n"
    # One for the listing, one for each different content.
    assert len(proxy.seen("GET", "inputs/sha256")) == 4


def test_a_large_one_comes_whole_in_bounded_memory(pod, tmp_path, monkeypatch):
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(300 * MB)
        stream.write(b"the beginning")
    data = told(pod, [(tmp_path / "large", "data/large")], monkeypatch)
    command = ["sh", "-c", "sha256sum < data/large"]
    assert pod.run(command, data=data, wait=120) == 0, pod.err
    assert pod.out.split()[0] == data[0]["sha256"]
    assert pod.peak < 150 * MB


def test_several_are_fetched_at_once_and_never_more_than_the_store_bears(
    pod, proxy, tmp_path, monkeypatch
):
    (tmp_path / "many").mkdir()
    for number in range(30):
        (tmp_path / f"many/{number}").write_text(str(number))
    data = told(pod, [(tmp_path / "many", "data")], monkeypatch)
    proxy.forget()
    proxy.on("GET", "inputs/sha256", Delay(0.1), times=99)
    assert pod.run(["sh", "-c", "cat data/*"], data=data) == 0, pod.err
    assert sorted(pod.out) == sorted("".join(map(str, range(30))))
    # One for the listing, one for each different content.
    assert len(proxy.seen("GET", "inputs/sha256")) == 31
    assert 2 <= proxy.at_once("GET", "inputs/sha256") <= pod.store.parallel


def test_fetching_goes_on_after_a_cut(pod, proxy, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    cut = proxy.on("GET", data[1]["sha256"], CutAnswer(after=MB))
    assert pod.run(["sha256sum", "data/one.bin"], data=data) == 0, pod.err
    assert cut.met
    assert pod.out.split()[0] == data[1]["sha256"]
    assert len(proxy.seen("GET", data[1]["sha256"])) == 2


@pytest.mark.parametrize("number", [0, 1])
def test_what_was_altered_is_not_given(pod, given, monkeypatch, number):
    data = told(pod, given, monkeypatch)
    key = f"inputs/sha256/{data[number]['sha256']}"
    stored = bytearray(pod.store.get(key))
    stored[5] ^= 1
    pod.store.put(key, bytes(stored))
    assert pod.run(["echo", "started"], ["true"], data=data, per_pod=2) == 81
    assert "started" not in pod.out
    for index in (0, 1):
        manifest = pod.manifest(index)
        assert (manifest.state, manifest.exit_code) == ("failed", None)
        assert (manifest.failure.code, manifest.failure.blame) == ("INPUT_UNUSABLE", "config")


def test_what_is_gone_is_not_given(pod, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    data.append({"sha256": "0" * 64, "size": 1, "path": "data/gone", "kind": "file"})
    assert pod.run(["echo", "started"], data=data) == 81
    assert "it is not in the store" in pod.manifest().failure.evidence[0]


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "."])
def test_it_stays_inside_the_working_directory(pod, given, monkeypatch, path):
    data = told(pod, given, monkeypatch)
    assert pod.run(["true"], data=[{**data[1], "path": path}]) == 81
    assert "outside" in pod.manifest().failure.evidence[0]


def test_it_hides_no_file_of_the_project(pod, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    pod.code(main="")
    assert pod.run(["true"], data=[{**data[1], "path": "main.py"}]) == 81
    assert "the project has a file of that name" in pod.manifest().failure.evidence[0]


def test_a_store_that_is_away_is_waited_for_and_nothing_is_committed(
    pod, proxy, given, monkeypatch
):
    data = told(pod, given, monkeypatch)
    proxy.refuse()
    assert pod.run(["true"], data=data, patience=1) == exit_status.NOT_BEGUN
    assert "no command was started: STORE_UNREACHABLE: " in pod.err
    proxy.heal()
    with pytest.raises(Missing):
        pod.manifest()


def test_a_fault_late_in_a_long_fetch_is_borne_like_an_early_one(pod, proxy, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    proxy.on("GET", data[0]["sha256"], Delay(1.5))
    late = proxy.on("GET", data[1]["sha256"], Answer(503))
    assert pod.run(["true"], data=data, patience=1) == 0, pod.err
    assert late.met


def test_credentials_that_expire_while_it_comes_start_nothing(pod, proxy, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    slow = proxy.on("GET", data[1]["sha256"], Delay(3))
    pod.tell(["touch", str(pod.folder / "started")], data=data)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    pod.authorize(expires=soon)
    assert pod.end(pod.start()) == exit_status.NOT_BEGUN
    assert slow.met
    assert "no command was started: STORE_CREDENTIALS_EXPIRED: " in pod.err
    assert not (pod.folder / "started").exists()


def test_somebody_who_loses_patience_is_heard_while_it_comes(pod, proxy, given, monkeypatch):
    data = told(pod, given, monkeypatch)
    proxy.on("GET", data[1]["sha256"], Slow(rate=200_000))
    pod.tell(["true"], data=data)
    process = pod.start()
    proxy.wait(lambda: bool(proxy.seen("GET", data[1]["sha256"])))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert pod.end(process) == 75
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("user", ["root", "other"])
def test_the_local_target_gives_it_too(bench, given, tmp_path, monkeypatch, user):
    import json

    if user == "other":
        # Where modes protect a file, it is linked and not copied.
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    sources = [inputs.read(source, path, tmp_path / "c") for source, path in given]
    inputs.send(sources, bench.places)
    data = tuple(source.data for source in sources)
    manifest = bench.end(["python", "main.py"], digest=bench.code(main=LOOK), data=data)
    assert manifest.state == "succeeded", manifest.failure
    from dispatcher import logs

    text = "".join(event.text for event in logs.follow(manifest.run, 0, bench.places))
    assert json.loads(text) == expected(given)
    assert manifest.files == ()


def test_a_command_can_not_alter_what_others_are_given(bench, given, tmp_path):
    source = inputs.read(given[1][0], "one.bin", tmp_path / "c")
    inputs.send([source], bench.places)
    code = ["sh", "-c", "chmod u+w one.bin; echo altered > one.bin"]
    for _ in range(2):
        manifest: Manifest = bench.end(code, data=(source.data,))
        assert manifest.state == "succeeded", manifest.failure
    stored = bench.stored / f"inputs/sha256/{source.data.sha256}"
    assert stored.read_bytes() == given[1][0].read_bytes()


def test_the_local_target_refuses_what_was_altered(bench, given, tmp_path):
    source = inputs.read(given[1][0], "one.bin", tmp_path / "c")
    inputs.send([source], bench.places)
    missing = msgspec.structs.replace(source.data, sha256="0" * 64)
    failure = bench.failure(["true"], data=(missing,))
    assert (failure.code, failure.phase) == ("INPUT_UNUSABLE", "inputs")
    stored = bench.stored / f"inputs/sha256/{source.data.sha256}"
    stored.chmod(0o644)
    stored.write_bytes(b"altered")
    assert bench.failure(["true"], data=(source.data,)).code == "INPUT_UNUSABLE"
