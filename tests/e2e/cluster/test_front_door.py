"""What asks a cluster, under the least Role: gpus, doctor, init, and why a run waits."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Gate, Site
from tests.e2e.desk import until
from tests.registries.certificates import self_signed
from tests.registries.process import RegistryProcess
from tests.registries.token_server import TokenServer, User

WRITING = {"POST", "PUT", "PATCH", "DELETE"}
QUICK = ["--", "python", "-c", "print('there')"]


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, site: Site, plain: Path, cache: Path
) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"), site, environment(plain, cache))
    made.write("README", "An experiment.")
    yield made
    made.clear()


def test_gpus_are_listed_by_class(desk: Desk) -> None:
    found = {each["name"]: each for each in desk.json("gpus")["classes"]}
    assert (found["h100"]["count"], found["h100"]["largest"]) == (2, 2)
    # The least Role does not show the pods of others.
    assert found["h100"]["free"] is None
    assert found["a100-80gb"]["taints"] == ["kwok.x-k8s.io/node=fake:NoSchedule"]
    assert not found["a100-80gb"]["usable"]
    assert "b200" not in found
    header, *rows = desk.done("gpus").splitlines()
    assert header.startswith("class")
    assert any(row.startswith("h100 ") and "550.54.15" in row for row in rows)


def test_gpus_that_are_free_are_counted_by_whoever_sees_all_pods(desk: Desk) -> None:
    admin = desk.site.stack.known["kubeconfig"]["admin"]
    found = {each["name"]: each for each in desk.json("gpus", "--all", KUBECONFIG=admin)["classes"]}
    assert 0 <= found["h100"]["free"] <= 2
    assert found["b200"]["count"] == 0


def test_the_doctor_finds_nothing_wrong_under_the_least_role(desk: Desk) -> None:
    document = desk.json("doctor")
    assert document["ok"], [each for each in document["checks"] if each["state"] == "problem"]
    done = {f"{each['area']} {each['what']}" for each in document["checks"]}
    assert {
        "sandbox python",
        "registry push",
        "base image",
        "store conditional write",
        "store credentials for runs",
        "cluster create jobs.batch",
        "cluster list nodes of the cluster",
        "cluster GPU classes",
        "cluster pods",
    } <= done
    assert desk("doctor").returncode == 0


@pytest.mark.parametrize(
    ("variables", "check", "said"),
    [
        ({"SENDOFF_REGISTRY": "127.0.0.1:1/team/runs"}, "registry push", "cannot be reached"),
        ({"SENDOFF_BASE": "{registry}:no"}, "base image", "no base image"),
        ({"SENDOFF_STORE": "{minio}/no-such-bucket"}, "store bucket", "no such bucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "store bucket", "refused access"),
        ({"SENDOFF_NAMESPACE": "default"}, "cluster create jobs.batch", "not allowed in default"),
        ({"SENDOFF_QUEUE": "gold"}, "cluster queue", "gold"),
        ({"SENDOFF_GPU": "h1000"}, "cluster hardware asked for", "no GPU class 'h1000'"),
        ({"KUBECONFIG": "/no/kubeconfig"}, "cluster kubeconfig", "no cluster"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_what_to_do(
    desk: Desk, variables: dict[str, str], check: str, said: str
) -> None:
    places = {"registry": desk.site.registry, "minio": desk.site.stack.known["minio"]["url"]}
    given = {name: value.format(**places) for name, value in variables.items()}
    document = desk.json("doctor", **given)
    found = {f"{each['area']} {each['what']}": each for each in document["checks"]}
    assert said in found[check]["said"]
    # What can't be seen is no problem of a run's.
    if found[check]["state"] != "poor":
        assert found[check]["state"] == "problem"
        assert found[check]["fix"]
        assert not document["ok"]


def test_the_doctor_names_the_right_to_push_that_is_missing(desk: Desk, tmp_path: Path) -> None:
    users = {"bob": User("hidden", {"*": "pull"})}
    login = {"SENDOFF_REGISTRY_USERNAME": "bob", "SENDOFF_REGISTRY_PASSWORD": "hidden"}
    with (
        TokenServer(self_signed(tmp_path), users) as tokens,
        RegistryProcess(tmp_path / "registry", tokens=tokens) as registry,
    ):
        document = desk.json("doctor", SENDOFF_REGISTRY=f"{registry.host}/team/runs", **login)
        found = {f"{each['area']} {each['what']}": each for each in document["checks"]}
        push = found["registry push"]
        assert push["state"] == "problem"
        assert f"no right to push to {registry.host}/team/runs" in push["said"]
        assert "the login from SENDOFF_REGISTRY_PASSWORD lacks that right" in push["said"]
        assert f"for the right to push to {registry.host}/team/runs" in push["fix"]
        assert "hidden" not in str(document)
        assert not document["ok"]
        assert desk("doctor", SENDOFF_REGISTRY=f"{registry.host}/team/runs", **login).returncode
        # The right was asked for, and the login is good for reading.
        assert ("bob", ("repository:team/runs:pull,push",)) in tokens.given


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["--gpu", "h101"], "GPU_UNKNOWN"),
        (["--gpu", "b200"], "GPU_UNKNOWN"),
        (["--gpu", "h100:9"], "GPU_IMPOSSIBLE"),
        (["--gpu", "h100", "--cpus", "500"], "GPU_IMPOSSIBLE"),
        (["--gpu", "a40"], "UNSCHEDULABLE"),
        (["--gpu", "h100:x"], "GPU_EXPRESSION"),
    ],
)
def test_what_can_never_run_is_refused_before_anything_is_packed_or_pushed(
    desk: Desk, tmp_path: Path, asked: list[str], code: str
) -> None:
    before = desk.site.registry_log_size()
    done = desk("run", *asked, "--json", *QUICK, XDG_CACHE_HOME=str(tmp_path))
    # What nobody can read is usage; what this cluster has not is ours to say.
    assert done.returncode == (2 if code == "GPU_EXPRESSION" else 125)
    assert f'"code": "{code}"' in done.stdout
    assert not (tmp_path / "sendoff" / "images").exists()
    asked_of = desk.site.asked_of_registry(after=before)
    assert not {each.method for each in asked_of} & WRITING


def test_a_run_under_exactly_what_init_prints(desk: Desk, site: Site) -> None:
    name = f"made-{os.urandom(4).hex()}"
    printed = desk.done("init", "--manifests", "--namespace", name, "--for", "user:researcher")
    try:
        site.stack.kubectl("apply", "--server-side", "-f", "-", stdin=printed)
        assert desk.json("doctor", "--namespace", name)["ok"]
        run = desk.sent("run", "--gpu", "h100", "--namespace", name, *QUICK)
        # Whoever looks has another namespace in the configuration.
        assert desk.done("wait", run).startswith(f"{run}  succeeded in ")
        assert desk.done("logs", run) == "there\n"
        stays = desk.sent("run", "--namespace", name, "--", "sleep", "600")
        until(lambda: desk.index(stays)["state"] == "running")
        assert "cancelled" in desk.done("cancel", stays)
        left = ["-n", name, "get", "jobs", "-o", "name"]
        until(lambda: site.stack.kubectl(*left).split() == [f"job.batch/{run}"])
    finally:
        site.stack.kubectl("delete", "namespace", name, "--wait=false")
        for kind in ("clusterrole", "clusterrolebinding"):
            site.stack.kubectl("delete", kind, f"sendoff-{name}")


def test_a_run_that_waits_says_why(desk: Desk, gate: Gate) -> None:
    desk.write("wait.py", Gate.WAIT)
    hog = desk.sent("run", "--gpu", "h100:2", "--", "python", "wait.py", *gate.address)
    gate.wait_for(1)
    with desk.started("run", "--gpu", "h100", "--name", "next", *QUICK) as follower:
        assert follower.stderr
        said: list[str] = []
        while not any(line.startswith("queued: no h100 is free (of 2)") for line in said):
            said.append(follower.stderr.readline())
            assert said[-1], said
        (run,) = (each["id"] for each in desk.json("ps") if each["name"] == "next")
        waiting = desk.index(run)["waiting"]
        assert (waiting["code"], waiting["blame"]) == ("QUEUED", "capacity")
        assert "Insufficient nvidia.com/gpu" in "\n".join(waiting["evidence"])
        assert "waiting    QUEUED: no h100 is free" in desk.done("show", run)
        timed_out = desk("wait", "--timeout", "1s", run)
        assert timed_out.returncode == 124
        assert timed_out.stdout.startswith(f"{run}  queued: no h100 is free")
        gate.open()
        out, err = follower.communicate(timeout=120)
        assert follower.returncode == 0, err
    assert out == "there\n"
    assert re.search(r"^started after .* s$", err, re.MULTILINE)
    desk.done("wait", hog)


def test_what_is_wrong_with_a_waiting_run_is_told_with_what_to_do(desk: Desk) -> None:
    asked = ["--secret", "HUB_TOKEN", "--name", "secretive"]
    with desk.started("run", *asked, *QUICK) as follower:
        assert follower.stderr
        line = ""
        while "a secret has no value in the cluster" not in line:
            line = follower.stderr.readline()
            assert line
        assert "kubectl create secret generic sendoff" in line
        run = next(each["id"] for each in desk.json("ps") if each["name"] == "secretive")
        (row,) = (row for row in desk.done("ps").splitlines() if row.startswith(run))
        assert "queued (SECRET_MISSING)" in row
        desk.done("cancel", run)
        follower.wait(timeout=60)
    assert follower.returncode == 130


def test_ctrl_c_leaves_a_run_to_itself_and_cancel_ends_it(desk: Desk, gate: Gate) -> None:
    desk.write("wait.py", "print('begun', flush=True)\n" + Gate.WAIT)
    command = ["--name", "left", "--", "python", "wait.py", *gate.address]
    with desk.started("run", *command) as follower:
        assert follower.stdout
        assert follower.stdout.readline() == "begun\n"
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=60)
    assert follower.returncode == 130
    found = re.search(r"to come back: sendoff logs -f (\S+)", err)
    assert found
    run = found[1]
    assert desk.index(run)["state"] == "running"
    assert "cancelled" in desk.done("cancel", run)
    until(lambda: not desk.site.of_run("jobs", run))
