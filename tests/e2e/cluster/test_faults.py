"""Faults of the design's list that the command line meets: 1, 15, 16, 20, 23 to 28.

The others are made in tests/stack/kubernetes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.runner.exit_status import NOT_BEGUN, NOT_STORED
from tests import file_systems
from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import PATIENCE, until
from tests.faults.faults import Answer, BlackHole, CutRequest, Delay, LoseAnswer
from tests.faults.proxy import Proxy, Rule
from tests.stack.programs import program

COMMAND = ["--", "python", "main.py"]
# Links out of the pod, up and in a circle, and one file more than a run may keep.
HOSTILE = """\
import os
os.makedirs("deep/er")
os.symlink("/etc/passwd", "passwd")
os.symlink("/etc", "etc")
os.symlink("../../../../../../etc/passwd", "deep/up")
os.symlink("..", "deep/er/circle")
for number in range(10_000):
    os.close(os.open(f"deep/{number}", os.O_CREAT))
open("metrics.json", "w").write('{"accuracy": 0.5}')
"""
HELLO = "print('hello')\nopen('out.txt', 'w').write('out')\n"


@pytest.fixture
def api(desk: Desk) -> Iterator[Proxy]:
    """A proxy before the API server, which the desk's kubeconfig leads to."""
    known = desk.site.stack.known
    url = urllib.parse.urlsplit(known["api"]["url"])
    assert url.hostname
    assert url.port
    tls = ssl.create_default_context(cafile=known["api"]["ca"])
    upstream = (url.hostname, url.port)
    with Proxy(upstream, upstream_tls=tls, upstream_name=url.hostname) as proxy:
        kubeconfig = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{proxy.port}"}}],
            "users": [{"name": "u", "user": {"token": known["tokens"]["researcher"]}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        path = desk.home / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        desk.env["KUBECONFIG"] = str(path)
        yield proxy


def before(url: str) -> tuple[str, int]:
    """Host and port of a server."""
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def test_1_a_client_that_dies_before_the_job_is_made(desk: Desk, api: Proxy) -> None:
    desk.write("main.py", HELLO)
    command = ["run", "--idempotency-key", desk.home.as_posix(), *COMMAND]
    lost = api.on("POST", "/jobs", BlackHole())
    with desk.started(*command) as client:
        api.wait(lambda: bool(lost.met))
        client.kill()
    pushed = desk.site.registry_log_size()
    done = desk(*command)
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    (run,) = desk.json("ps", "--group", desk.group)
    assert len(desk.site.of_run("jobs", run["id"])) == 1
    assert desk("run", "--detach", *command[1:]).stdout.strip() == run["id"]
    assert desk.site.written_of_images(after=pushed) == []


def test_15_an_image_that_is_gone_is_named(desk: Desk) -> None:
    desk.write("main.py", HELLO)
    desk.write("fault.txt", "an image that no node has")
    run = desk.sent("run", "--target", "docker", *COMMAND, **_docker(desk))
    desk.done("wait", run, **_docker(desk))
    digest = desk.index(run, **_docker(desk))["digest"]
    name = f"repositories/{desk.site.repository}/_manifests/revisions/sha256/{digest[7:]}"
    (manifest,) = desk.site.stack.site.data("registry").rglob(name)
    shutil.rmtree(manifest)
    done = desk("rerun", run, "--target", "kubernetes")
    assert done.returncode == 125, done.stderr
    assert digest in done.stderr
    error = desk.json("rerun", run, "--target", "kubernetes")
    assert error["code"] == "DIGEST_GONE"
    assert "sendoff pack" in error["fix"]
    assert [each["id"] for each in desk.json("ps", "--group", desk.group)] == [run]


def test_16_a_registry_that_fails_during_the_push(desk: Desk) -> None:
    desk.write("main.py", HELLO)
    (desk.project / "large.bin").write_bytes(os.urandom(2_000_000))
    with Proxy(before(desk.site.stack.known["registry"]["address"])) as proxy:
        faults = [
            proxy.on("POST", "/uploads/", Answer(429, {"Retry-After": "1"})),
            proxy.on("(PUT|PATCH)", "", CutRequest(after=1_000_000)),
            proxy.on("PATCH", "/uploads/", CutRequest(after=500_000)),
            proxy.on("PUT", "/uploads/", Answer(500)),
            proxy.on("PUT", "/manifests/", LoseAnswer()),
        ]
        through = {"SENDOFF_REGISTRY": f"127.0.0.1:{proxy.port}/{desk.site.repository}"}
        done = desk("run", *COMMAND, **through)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        assert len([rule for rule in faults if rule.met]) >= 3
        pulled = proxy.seen("GET", "/manifests/")
        assert any("containerd" in each.headers.get("user-agent", "") for each in pulled)


def test_20_memory_that_is_used_up_is_what_the_last_words_say(desk: Desk) -> None:
    desk.write("main.py", "held = bytearray(900 << 20)\n")
    done = desk("run", "--memory", "128Mi", *COMMAND)
    assert done.returncode == 128 + signal.SIGKILL, done.stderr
    (run,) = desk.json("ps", "--group", desk.group)
    failure = desk.index(run["id"])["failure"]
    assert failure["code"] == "OOM_HOST"
    assert "--memory" in failure["fix"]
    said = done.stderr.partition(f"{run['id']} failed by SIGKILL after ")[2].splitlines()
    assert said[1:4] == [
        f"  why: {failure['message']}",
        f"  saw: {failure['evidence'][-1]}",
        f"  fix: {failure['fix']}",
    ]
    shown = desk.done("show", run["id"])
    assert f"  failure    OOM_HOST: {failure['message']}\n" in shown
    assert f"  fix        {failure['fix']}\n" in shown


def test_23_a_store_that_is_down_at_the_end_is_waited_for(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"{gate.WAIT}{HELLO}")
    minio = desk.site.stack.known["minio"]["url_in_cluster"]
    with Proxy(before(minio), host=desk.site.gateway) as proxy:
        store = f"http://{desk.site.gateway}:{proxy.port}/{desk.site.bucket}/{desk.site.prefix}"
        run = desk.sent("run", *COMMAND, *gate.address, SENDOFF_STORE_IN_CLUSTER=store)
        gate.wait_for(1)
        proxy.wait(lambda: bool(proxy.seen("PUT", "attempt.json")), PATIENCE)
        down = proxy.on("*", "", Answer(503), times=1_000)
        gate.open()
        proxy.wait(lambda: len(down.met) > 3, PATIENCE)
        assert desk.index(run)["state"] == "running"
        proxy.heal()
        desk.done("wait", run)
    assert desk.done("logs", run) == "hello\n"
    desk.done("get", run, "-o", "got")
    assert (desk.project / "got" / "out.txt").read_text() == "out"


def test_23_a_store_that_never_comes_back_is_no_success(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"{gate.WAIT}{HELLO}")
    minio = desk.site.stack.known["minio"]["url_in_cluster"]
    with Proxy(before(minio), host=desk.site.gateway) as proxy:
        store = f"http://{desk.site.gateway}:{proxy.port}/{desk.site.bucket}/{desk.site.prefix}"
        there = {"SENDOFF_STORE_IN_CLUSTER": store, "SENDOFF_STORE_PATIENCE": "3s"}
        run = desk.sent("run", *COMMAND, *gate.address, **there)
        gate.wait_for(1)
        proxy.wait(lambda: bool(proxy.seen("PUT", "attempt.json")), PATIENCE)
        proxy.on("*", "", Answer(503), times=1_000_000)
        gate.open()
        # The pod for what failed around a command finds the store away as well.
        assert desk("wait", run).returncode == 1
    index = desk.index(run)
    assert (index["state"], index["exit_code"]) == ("failed", 125)
    failure = index["failure"]
    assert (failure["code"], failure["blame"]) == ("UPLOAD_INCOMPLETE", "infra")
    assert failure["fix"].endswith(f"sendoff rerun {run} --failed")
    codes = {_exit_code(pod) for pod in desk.site.of_run("pods", run)}
    assert codes == {NOT_STORED, NOT_BEGUN}, "no pod says that it went well"
    keys = desk.site.objects().keys(f"runs/{run}/0/")
    assert not [key for key in keys if "/files/" in key]
    again = desk("rerun", run, "--failed")
    assert (again.returncode, again.stdout) == (0, "hello\n"), again.stderr


def _exit_code(pod: dict[str, Any]) -> int:
    (status,) = pod["status"]["containerStatuses"]
    return int(status["state"]["terminated"]["exitCode"])


def test_24_a_clock_that_is_wrong_is_named(desk: Desk) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        program("faketime")
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    desk.write("main.py", HELLO)
    # libfaketime breaks waiting for a program with a time-out: packing has asked Python by then.
    desk.done("pack")
    ahead = {"LD_PRELOAD": str(library), "FAKETIME": "+20m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    error = desk.json("run", *COMMAND, **ahead)
    assert error["code"] == "CLOCK_SKEW", error
    assert "20 min ahead" in json.dumps(error)
    assert "clock" in error["fix"]


def test_25_hostile_output_is_capped_and_no_link_is_followed(desk: Desk) -> None:
    desk.write("main.py", HOSTILE)
    run = desk.sent("run", "--cpus", "1", *COMMAND)
    assert desk("wait", run).returncode == 1
    index = desk.index(run)
    assert (index["state"], index["exit_code"]) == ("failed", 125)
    assert index["failure"]["code"] == "UPLOAD_INCOMPLETE"
    manifest = json.loads(desk.site.objects().read(f"runs/{run}/0/manifest.json"))
    assert manifest["exit_code"] == 0, "the command's own"
    skipped, incomplete = manifest["warnings"]
    assert skipped.startswith("OUTPUT_SKIPPED: 4 links or special files were not kept: deep/")
    assert incomplete.startswith("UPLOAD_INCOMPLETE: 10001 files were written; the limit is 10000")
    stored = desk.site.objects().keys(f"runs/{run}/0/1/files/")
    names = {key.partition("/files/")[2] for key in stored}
    assert len(names) == 10_000
    assert names == {file["path"] for file in manifest["files"]}
    assert names.isdisjoint({"passwd", "deep/up"})
    assert not [name for name in names if name.startswith(("etc/", "deep/er/"))]
    # What lies at the top is kept first.
    desk.done("get", run, "metrics.json", "-o", "got")
    assert (desk.project / "got" / "metrics.json").read_text() == '{"accuracy": 0.5}'


def test_25_a_forged_manifest_is_refused_and_nothing_is_written(desk: Desk) -> None:
    desk.write("main.py", HELLO)
    run = desk.sent("run", *COMMAND)
    desk.done("wait", run)
    key, objects = f"runs/{run}/0/manifest.json", desk.site.objects()
    manifest = json.loads(objects.read(key))
    (file,) = manifest["files"]
    assert file["path"] == "out.txt"
    paths = ("../out", f"{desk.home}/out")
    for forged in (*({"path": path} for path in paths), {"sha256": "0" * 64}):
        files = [{**file, **forged}]
        objects.write(key, json.dumps({**manifest, "files": files}).encode())
        before = _files(desk.home)
        refused = desk("get", "--json", run, "-o", "got/here")
        assert refused.returncode == 125, forged
        assert json.loads(refused.stdout)["code"] == "RESULT_ALTERED", forged
        assert _files(desk.home) == before, forged


def _files(folder: Path) -> set[Path]:
    """All that is below it and is no folder."""
    return {path for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for next to nothing."""
    with file_systems.small(tmp_path / "small", "1m") as folder:
        yield folder


def test_26_a_full_disk_while_packing(desk: Desk, small_disk: Path) -> None:
    desk.write("main.py", HELLO)
    (desk.project / "large.bin").write_bytes(bytes(range(256)) * 8_000)
    small = {"XDG_CACHE_HOME": str(small_disk)}
    asked = desk.site.registry_log_size()
    error = desk.json("run", *COMMAND, **small)
    assert error["code"] == "DISK_FULL"
    assert str(small_disk) in error["cause"]
    after = desk.site.asked_of_registry(after=asked)
    assert [each for each in after if each.method == "PUT" and "/manifests/" in each.path] == []
    # With room again, what was left does no harm.
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    done = desk("run", *COMMAND, **small)
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


def test_27_two_at_once_end_with_the_same_digest(desk: Desk, tmp_path: Path) -> None:
    desk.write("main.py", HELLO)
    own = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with desk.started("run", *COMMAND, **own) as one, desk.started("run", *COMMAND, **own) as two:
        said = [each.communicate(timeout=100) for each in (one, two)]
    assert [out for out, _ in said] == ["hello\n"] * 2, said
    digests = {re.findall("sha256:[0-9a-f]{64}", narration)[0] for _, narration in said}
    assert len(digests) == 1


def test_28_ctrl_c_leaves_the_run_and_a_second_one_cancels_it(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"print('up', flush=True)\n{gate.WAIT}{HELLO}")
    command = ["run", "--grace", "1", *COMMAND, *gate.address]
    with desk.started(*command) as first, desk.started(*command) as second:
        runs = []
        for client in (first, second):
            assert client.stdout
            assert client.stdout.readline() == "up\n"
            client.send_signal(signal.SIGINT)
        for client in (first, second):
            assert client.stderr
            said = ""
            while "Ctrl-C again" not in said:
                said += client.stderr.readline()
            runs += re.findall(r"sendoff logs -f (\S+)", said)
        second.send_signal(signal.SIGINT)
        assert [first.wait(60), second.wait(60)] == [130, 130]
    kept, cancelled = runs
    assert desk.index(kept)["state"] == "running"
    gate.open()
    desk.done("wait", kept)
    assert desk.done("logs", kept) == "up\nhello\n"
    assert desk("wait", cancelled).returncode == 1
    assert desk.index(cancelled)["state"] == "cancelled"
    until(lambda: desk.site.of_run("jobs", cancelled) == [], 60)


def test_28_ctrl_c_while_the_job_is_made_leaves_a_run_that_has_a_name(
    desk: Desk, api: Proxy
) -> None:
    desk.write("main.py", HELLO)
    held = api.on("POST", "/jobs", Delay(2))
    with desk.started("run", *COMMAND) as client:
        api.wait(lambda: bool(held.met))
        client.send_signal(signal.SIGINT)
        _, said = client.communicate(timeout=60)
    assert client.returncode == 130
    found = re.search(r"(\S+) is being started\nCtrl-C again cancels it", said)
    assert found, said
    run = found[1]
    assert f"{run} goes on; to come back: sendoff logs -f {run}" in said
    assert desk.done("logs", "-f", run) == "hello\n"
    assert [each["id"] for each in desk.json("ps", "--group", desk.group)] == [run]


def test_28_ctrl_c_twice_while_the_job_is_made_cancels_the_run(desk: Desk, api: Proxy) -> None:
    desk.write("main.py", HELLO)
    held = api.on("POST", "/jobs", BlackHole())
    said = _leave_twice(desk, api, held)
    found = re.search(r"cancelled (\S+)", said)
    assert found, said
    assert desk.index(found[1])["state"] == "cancelled"
    assert desk.site.of_run("jobs", found[1]) == []


def test_28_a_job_that_comes_after_ctrl_c_twice_is_named(desk: Desk, api: Proxy) -> None:
    desk.write("main.py", HELLO)
    held = api.on("POST", "/jobs", Delay(20))
    said = _leave_twice(desk, api, held)
    found = re.search(r"its start was cut off: .*: sendoff cancel (\S+)", said)
    assert found, said
    until(lambda: desk.site.of_run("jobs", found[1]) != [], 60)
    assert "cancelled" in desk.done("cancel", found[1])
    until(lambda: desk.site.of_run("jobs", found[1]) == [], 60)


def _leave_twice(desk: Desk, api: Proxy, held: Rule) -> str:
    """What a run says whose start is held, and in which Ctrl-C is pressed twice."""
    with desk.started("run", *COMMAND) as client:
        api.wait(lambda: bool(held.met))
        client.send_signal(signal.SIGINT)
        assert client.stderr
        assert any("Ctrl-C again" in line for line in iter(client.stderr.readline, ""))
        client.send_signal(signal.SIGINT)
        _, said = client.communicate(timeout=60)
    assert client.returncode == 130
    return said


def _docker(desk: Desk) -> dict[str, str]:
    return {"DOCKER_HOST": desk.site.stack.known["docker"]["host"]}
