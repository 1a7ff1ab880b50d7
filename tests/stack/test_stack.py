"""The stack itself: what everything else is tested on must be what it says it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stack import lifecycle, nodes, state
from tests.stack.api import Api, Refused
from tests.stack.processes import Process, until
from tests.stack.programs import ORDER, Recipe, program
from tests.stack.server import ailment
from tests.stack.stack import SERVERS, Stack

ROOT = Path(__file__).parents[2]
JOBS = "/apis/batch/v1/namespaces/sendoff/jobs"
PODS = "/api/v1/namespaces/sendoff/pods"


def main(verb: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.stack", verb],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def container(stack: Stack, code: str) -> dict[str, Any]:
    return {
        "name": "main",
        "image": stack.known["images"]["base"],
        "command": ["python3", "-c", code],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def pod(stack: Stack, code: str) -> dict[str, Any]:
    """A pod that the level "restricted" lets in."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(stack, code)],
    }


@pytest.fixture
def job(stack: Stack, request: pytest.FixtureRequest):
    """Run `code` in an Indexed Job and give what each index printed."""
    name = request.node.name.replace("_", "-")[:50]

    def run(code: str, indexes: int) -> dict[str, str]:
        spec = {
            "completionMode": "Indexed",
            "completions": indexes,
            "parallelism": indexes,
            "backoffLimit": 0,
            "template": {"spec": pod(stack, code)},
        }
        stack.api.create(JOBS, {"metadata": {"name": name}, "spec": spec})
        assert until(lambda: ended(stack.api, name), 90), stack.kubectl("describe", "pods")
        label = "batch.kubernetes.io/job-completion-index"
        pods = stack.api.get(f"{PODS}?labelSelector=job-name={name}")["items"]
        return {
            each["metadata"]["labels"][label]: stack.kubectl("logs", each["metadata"]["name"])
            for each in pods
        }

    yield run
    stack.kubectl("delete", "job", name, "--ignore-not-found", "--cascade=foreground")


def ended(api: Api, name: str) -> bool:
    conditions = api.get(f"{JOBS}/{name}")["status"].get("conditions", [])
    failed = [each for each in conditions if each["type"] == "Failed"]
    assert not failed, failed
    return any(each["type"] == "Complete" for each in conditions)


def test_every_server_is_well(stack: Stack) -> None:
    assert {name: stack.ailment(name) for name in SERVERS} == dict.fromkeys(SERVERS)
    told = main("status")
    assert told.returncode == 0, told.stdout
    assert all(name in told.stdout for name in SERVERS)


def test_the_state_says_how_to_reach_everything(stack: Stack) -> None:
    known = json.loads(state.path().read_text())
    assert known["complete"]
    # It holds the store's password and the administrator's token.
    assert state.path().stat().st_mode & 0o077 == 0
    assert Path(known["api"]["ca"]).is_file()
    assert stack.kubectl("get", "--raw", "/readyz") == "ok"
    version = json.loads(stack.kubectl("version", "-o", "json"))["serverVersion"]
    assert version["gitVersion"] == Recipe.read("kubernetes").version


def test_gpus_on_the_real_node_run_a_job_of_three_from_the_registry(stack: Stack, job) -> None:
    node = stack.api.get(f"/api/v1/nodes/{stack.known['node']}")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    printed = job("import os; print('index', os.environ['JOB_COMPLETION_INDEX'])", 3)
    assert printed == {str(index): f"index {index}\n" for index in range(3)}
    log = Path(stack.known["servers"]["registry"]["log"]).read_text()
    digest = stack.known["images"]["base"].partition("@")[2]
    assert f"/v2/base/cpu/manifests/{digest}" in log
    assert "containerd/" in log


def test_a_pod_reaches_minio_where_the_host_reaches_it_too(stack: Stack, job) -> None:
    url = stack.known["minio"]["url_in_cluster"] + "/minio/health/live"
    assert ailment(url) is None
    printed = job(f"import urllib.request as r; print(r.urlopen({url!r}, timeout=5).status)", 1)
    assert printed == {"0": "200\n"}


def test_the_base_has_a_whole_python_and_a_home_to_write_to(job) -> None:
    code = (
        "import os, pathlib, ssl, sqlite3, lzma, ctypes, zoneinfo, multiprocessing as m\n"
        "pathlib.Path.home().joinpath('x').write_text('y')\n"
        "ctypes.CDLL('libgomp.so.1'); ctypes.CDLL('libstdc++.so.6')\n"
        "assert zoneinfo.ZoneInfo('Europe/Berlin')\n"
        "assert ssl.create_default_context().cert_store_stats()['x509_ca'] > 50\n"
        "print(m.Pool(1).map(abs, [-1]), os.getuid())\n"
    )
    assert job(code, 1) == {"0": "[1] 1000\n"}


def test_the_docker_engine_runs_the_base_and_reaches_minio(stack: Stack) -> None:
    url = stack.known["minio"]["url_in_cluster"] + "/minio/health/live"
    code = f"import urllib.request as r; print(r.urlopen({url!r}, timeout=5).status)"
    command = [str(program("docker")), "--host", stack.known["docker"]["host"], "run", "--rm"]
    done = subprocess.run(
        [*command, stack.known["images"]["base"], "python3", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "200\n", done.stderr


def test_buildkit_builds_from_the_base_and_pushes(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {stack.known['images']['base']}\nUSER root\nRUN echo built > /built\n"
    )
    target = f"{stack.known['registry']['address']}/built"
    command = [str(program("buildctl")), "--addr", stack.known["buildkitd"]["address"], "build"]
    command += ["--frontend", "dockerfile.v0", "--local", f"context={tmp_path}"]
    command += ["--local", f"dockerfile={tmp_path}"]
    command += ["--output", f"type=image,name={target},push=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ailment(f"{stack.known['registry']['url']}/v2/built/tags/list") is None


def test_pod_security_refuses_what_restricted_forbids(stack: Stack) -> None:
    spec = pod(stack, "pass")
    del spec["containers"][0]["securityContext"]
    with pytest.raises(Refused) as refused:
        stack.api.create(PODS, {"metadata": {"name": "too-free"}, "spec": spec})
    assert refused.value.status == 403
    assert "violates PodSecurity" in str(refused.value)


def test_the_researcher_may_nothing_until_a_test_lets_them(stack: Stack) -> None:
    with pytest.raises(Refused) as refused:
        Api(stack.site, "researcher").get(JOBS)
    assert refused.value.status == 403


def test_simulated_nodes_take_no_pod_by_accident(stack: Stack) -> None:
    known = {each["metadata"]["name"]: each for each in stack.api.get("/api/v1/nodes")["items"]}
    for fake in nodes.fake():
        found = known[fake["metadata"]["name"]]
        taints = {(each["key"], each["effect"]) for each in found["spec"]["taints"]}
        assert ("kwok.x-k8s.io/node", "NoSchedule") in taints
        assert found["status"]["allocatable"] == fake["status"]["allocatable"]


def test_a_job_on_a_simulated_node_succeeds_at_once(stack: Stack) -> None:
    spec = pod(stack, "pass")
    spec["nodeSelector"] = {"sendoff.io/stack": "many"}
    spec["containers"][0]["resources"] = {}
    spec["tolerations"] = [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}]
    template = {"spec": spec}
    body = {"completionMode": "Indexed", "completions": 50, "parallelism": 50}
    metadata = {"name": "simulated"}
    stack.api.create(JOBS, {"metadata": metadata, "spec": {**body, "template": template}})
    try:
        assert until(lambda: ended(stack.api, "simulated"), 60)
    finally:
        stack.kubectl("delete", "job", "simulated", "--cascade=foreground")


def test_up_again_is_the_same_stack(stack: Stack) -> None:
    before = {name: stack.process(name) for name in SERVERS}
    again = main("up")
    assert again.returncode == 0, again.stderr
    assert str(stack.site.kubeconfig("admin")) in again.stdout
    assert {name: stack.process(name) for name in SERVERS} == before


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_with_what_it_knew(stack_alone: Stack, name: str) -> None:
    killed = stack_alone.process(name)
    stack_alone.kill(name)
    assert not killed.alive
    stack_alone.start(name)
    assert stack_alone.process(name) != killed
    stack_alone.repair()
    assert ailment(f"{stack_alone.known['registry']['url']}/v2/base/cpu/tags/list") is None
    node = stack_alone.api.get(f"/api/v1/nodes/{stack_alone.known['node']}")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"


def test_a_killed_server_is_noticed_and_started_again_on_its_data(stack_alone: Stack) -> None:
    stack = stack_alone
    stack.kill("etcd")
    told = main("status")
    assert told.returncode == 1
    line = next(each for each in told.stdout.splitlines() if each.startswith("etcd"))
    assert "has ended" in line
    assert main("up").returncode == 0
    assert stack.ailment("etcd") is None
    assert stack.api.get("/api/v1/namespaces/sendoff")["metadata"]["name"] == "sendoff"


def test_a_paused_server_is_noticed(stack_alone: Stack) -> None:
    stack_alone.pause("minio")
    # Its threads stop one after another, and one of them may still answer.
    assert until(lambda: "timed out" in str(stack_alone.ailment("minio")), 10)
    stack_alone.resume("minio")
    assert until(lambda: stack_alone.ailment("minio") is None, 10)


def test_a_kubelet_started_again_still_has_its_gpus(stack_alone: Stack) -> None:
    stack_alone.stop("kubelet")
    stack_alone.start("kubelet")
    node = stack_alone.api.get(f"/api/v1/nodes/{stack_alone.known['node']}")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"


def test_a_second_stack_shares_nothing_and_its_end_ends_nothing_else(
    stack_alone: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("s")
    try:
        up = main("up", XDG_STATE_HOME=str(elsewhere))
        assert up.returncode == 0, up.stderr
        other = json.loads((elsewhere / "sendoff-stack" / "stack.json").read_text())
        mine = stack_alone.known
        for key in ("directory", "registry", "tokens", "network", "minio"):
            assert other[key] != mine[key]
        servers = [Process(each["pid"], each["started"]) for each in other["servers"].values()]
    finally:
        assert main("down", XDG_STATE_HOME=str(elsewhere)).returncode == 0
    assert not [each for each in servers if each.alive]
    assert not Path(other["directory"]).exists()
    assert not Path(f"/sys/class/net/{other['network']['bridge']}").exists()
    assert {name: stack_alone.ailment(name) for name in SERVERS} == dict.fromkeys(SERVERS)


def test_what_is_left_of_a_stack_that_died_makes_room_for_a_fresh_one(
    stack_alone: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("s")
    path = elsewhere / "sendoff-stack" / "stack.json"
    try:
        assert main("up", XDG_STATE_HOME=str(elsewhere)).returncode == 0
        dead = json.loads(path.read_text())
        for each in dead["servers"].values():
            Process(each["pid"], each["started"]).end()
        assert main("status", XDG_STATE_HOME=str(elsewhere)).returncode == 1
        assert main("up", XDG_STATE_HOME=str(elsewhere)).returncode == 0
        fresh = json.loads(path.read_text())
    finally:
        assert main("down", XDG_STATE_HOME=str(elsewhere)).returncode == 0
    assert fresh["directory"] != dead["directory"]
    assert not Path(dead["directory"]).exists()
    assert not Path(f"/sys/class/net/{dead['network']['bridge']}").exists()
    mounts = Path("/proc/self/mounts").read_text()
    assert dead["directory"] not in mounts
    assert {name: stack_alone.ailment(name) for name in SERVERS} == dict.fromkeys(SERVERS)


def test_only_its_owner_ends_it(stack: Stack) -> None:
    stranger = Process.of(os.getppid())
    assert not lifecycle.down(owner=Process(stranger.pid, stranger.started + 1))
    assert stack.process("etcd").alive


@pytest.mark.parametrize("name", ORDER)
def test_recipes_pin_every_module(name: str) -> None:
    recipe = Recipe.read(name)
    sums = (recipe.directory / "go.sum").read_text()
    assert f"{recipe.module} {recipe.version} h1:" in sums
    assert recipe.version in str(recipe.home)


@pytest.mark.parametrize("name", ORDER)
def test_recipes_name_programs_that_are_there(name: str) -> None:
    recipe = Recipe.read(name)
    listed = ["go", "list", "-find", "-mod=readonly", "-f", "{{.Name}}", *recipe.import_paths]
    environment = {**os.environ, "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(
        listed, cwd=recipe.directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["main"] * len(recipe.packages)


def test_without_go_the_reason_is_said(tmp_path: Path) -> None:
    code = "from tests.stack import programs; programs.program('crane')"
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": "/nowhere"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Unavailable: no Go toolchain to build crane with" in done.stderr


def test_a_build_that_was_killed_is_not_believed(tmp_path: Path) -> None:
    code = "from tests.stack import programs; print(programs.program('crane'))"
    compiled = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path),
        "GOCACHE": compiled.stdout.strip(),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", code]
    killed = subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    cache = tmp_path / "sendoff-stack"
    assert until(lambda: any(cache.glob(".crane-*/bin")), 30)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not [each for each in cache.iterdir() if each.is_dir() and each.name[0] != "."]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    assert Path(done.stdout.decode().strip()).is_file()
    assert not list(cache.glob(".crane-*"))
