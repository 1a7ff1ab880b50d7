"""What the engine makes of a run's containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import docker
import pytest

import sendoff
from dispatcher.docker import target
from dispatcher.docker.container import RUN_LABEL
from dispatcher.docker.engine import Engine
from dispatcher.docker.errors import PullBroken
from dispatcher.store import Runs
from packer.errors import SendoffError
from tests.faults.faults import Alter
from tests.faults.proxy import Proxy
from tests.stack.kubernetes import run_image

ROOT = Path(__file__).parents[2]
PATIENCE = 60
SOON = 15
"""Seconds in which nobody waits for a client that may still start it."""
DAY = 24 * 3600
NAME = f"many-{os.getpid()}"
CLIENT = """
import os, signal, sys
from docker.models.containers import Container
import sendoff

starts, start = int(sys.argv[2]), Container.start

def counted(container):
    global starts
    if not starts:
        os.kill(os.getpid(), int(sys.argv[4]))
    starts -= 1
    start(container)

Container.start = counted
sendoff.sweep(
    "python main.py {n}",
    {"n": range(4)},
    name=sys.argv[3],
    project=sys.argv[1],
    idempotency_key=sys.argv[1],
    max_parallel=4,
)
"""
"""A client that a signal ends before its container number `sys.argv[2]` is started."""

pytestmark = pytest.mark.parametrize(
    "site", [pytest.param("docker", marks=pytest.mark.stack)], indirect=True
)


@pytest.fixture
def engine(site):
    """The engine, as anybody may ask it."""
    del site
    with closing(docker.from_env()) as client:
        yield client


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return value


def containers(engine, run_id):
    label = f"{RUN_LABEL}={run_id}"
    found = engine.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    return sorted(found, key=lambda each: each.name)


def ended(engine, run_id):
    """The containers of a run once the engine has done with them.

    Those that ended well are removed by whichever run starts next, which may be of another test:
    there may be none any more.
    """

    def all_ended():
        found = containers(engine, run_id)
        return (found,) if all(each.status == "exited" for each in found) else None

    return until(all_ended)[0]


def attempts(run):
    runs = Runs.at(run.places)
    return [runs.attempts(run.id, index) for index in range(len(run.record.request.inputs))]


def test_what_a_command_does_to_itself_is_not_tried_again(site, engine):
    site.write("main.py", "import sys; sys.exit(3 * (sys.argv[1] == '1'))")
    (site.project / "link").symlink_to("main.py")
    run = sendoff.sweep(
        "python main.py {n}", {"n": range(3)}, project=site.project, retries=2, max_parallel=1
    )
    site.end(run)
    for container in ended(engine, run.id):
        assert (container.attrs["RestartCount"], container.attrs["State"]["ExitCode"]) == (0, 0)
    assert [index.state for index in run] == ["succeeded", "failed", "succeeded"]
    assert attempts(run) == [[1], [1], [1]]


def test_a_container_that_was_killed_goes_on_where_it_was(site, engine):
    site.write(
        "main.py",
        "import os, sys, time\n"
        "print('on ' + sys.argv[1], flush=True)\n"
        "again = os.environ['SENDOFF_ATTEMPT'] == '2'\n"
        "open(f'file-{again}', 'w')\n"
        "sys.argv[1] == '1' and not again and time.sleep(600)\n",
    )
    (site.project / "link").symlink_to("main.py")
    run = sendoff.sweep(
        "python main.py {n}", {"n": range(3)}, project=site.project, retries=1, max_parallel=1
    )
    next(event for event in run[1].events() if "on 1" in event.text)
    (container,) = containers(engine, run.id)
    # By the engine's own hand it would be meant for good.
    os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
    # Soon, since another test's run removes it once it has ended.
    until(lambda: container.reload() or container.attrs["RestartCount"])
    assert container.attrs["RestartCount"] == 1
    site.end(run)
    assert [index.state for index in run] == ["succeeded"] * 3, run[1].status
    assert attempts(run) == [[1], [1, 2], [1]]
    assert [file.path for file in run[1].files] == ["file-True"]


def dies(site, starts, number=signal.SIGKILL):
    """A client of four containers that is ended before it has started more than `starts`."""
    site.write("main.py", "")
    died = subprocess.run(
        [sys.executable, "-c", CLIENT, site.project, str(starts), NAME, str(int(number))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=PATIENCE,
    )
    assert died.returncode == -number


def the_same(site):
    """What that client wanted, sent off once more."""
    return sendoff.sweep(
        "python main.py {n}",
        {"n": range(4)},
        name=NAME,
        project=site.project,
        idempotency_key=str(site.project),
        max_parallel=4,
    )


@pytest.mark.parametrize("starts", [0, 2])
def test_a_run_whose_client_died_is_started_by_the_next(site, engine, starts):
    dies(site, starts)
    run = site.end(the_same(site))
    assert [index.state for index in run] == ["succeeded"] * 4
    assert attempts(run) == [[1]] * 4
    # What is gone by then was started, and is not again.
    ended(engine, run.id)
    own = {f"{run.id}-{place}" for place in (0, 1)}
    Engine().sweep(lambda state: state.name in own, but="")
    assert the_same(site).id == run.id
    assert not own & {each.name for each in containers(engine, run.id)}
    assert attempts(run) == [[1]] * 4


def created(engine):
    """The containers of such clients that were never started."""
    found = engine.containers.list(all=True, ignore_removed=True)
    return [each for each in found if each.status == "created" and each.name.startswith(NAME)]


@pytest.mark.parametrize("starts", [0, 2])
def test_a_client_that_is_interrupted_leaves_no_container_without_a_start(site, engine, starts):
    dies(site, starts, signal.SIGINT)
    assert created(engine) == []
    if not starts:
        # With containers that had ended, and that another test's run has removed since, nothing
        # would tell that there were to be more.
        run = site.end(the_same(site))
        assert [index.state for index in run] == ["succeeded"] * 4


def test_a_run_that_was_never_started_can_be_cancelled(site, engine):
    dies(site, 0)
    (made,) = created(engine)
    run = sendoff.get(made.labels[RUN_LABEL], project=site.project)
    assert run.state == "queued"
    run.cancel()
    assert containers(engine, run.id) == []
    assert run.wait(SOON).state == "cancelled"
    assert [index.state for index in run] == ["cancelled"] * 4
    assert the_same(site).id == run.id
    assert containers(engine, run.id) == []


def test_a_run_that_was_begun_to_be_started_can_be_cancelled(site, engine):
    dies(site, 2)
    (name,) = {
        each.labels[RUN_LABEL]
        for each in engine.containers.list(all=True, ignore_removed=True)
        if each.status == "created" and each.name.startswith(NAME)
    }
    run = sendoff.get(name, project=site.project)
    run.cancel()
    ended(engine, run.id)
    assert the_same(site).id == run.id
    run.wait(SOON)
    assert [index.state for index in run][2:] == ["cancelled"] * 2
    assert len(containers(engine, run.id)) <= 2


def test_gpus_that_the_engine_has_not_are_refused_in_its_words(site, engine):
    site.write("main.py", "")
    for _ in range(2):
        with pytest.raises(SendoffError) as caught:
            site.ship("python", "main.py", gpu="h100:2", name="no-gpus", idempotency_key="no-gpus")
        assert caught.value.code == "GPU_IMPOSSIBLE"
        assert "2 GPUs" in caught.value.what()
        assert "could not select device driver" in caught.value.why()
    names = [each.name for each in engine.containers.list(all=True, ignore_removed=True)]
    assert not [name for name in names if name.startswith("no-gpus")]


@pytest.mark.usefixtures("site")
def test_a_pull_that_fails_midway_is_told_in_the_engines_words(stack):
    digest = run_image.push(stack.known, {"main.py": os.urandom(8).hex()}, "damaged")
    host, _, port = stack.known["registry"]["address"].partition(":")
    with Proxy((host, int(port))) as proxy:
        # What is cut it asks for again, for a minute and a half.
        proxy.on("GET", "/blobs/", Alter(100), times=PATIENCE)
        image = f"{host}:{proxy.port}/{run_image.REPOSITORY}@{digest}"
        with pytest.raises(PullBroken) as caught:
            Engine().pull(image)
        assert "verification failed" in caught.value.why()
        proxy.heal()
        Engine().pull(image)


def test_a_container_that_failed_tells_why_for_a_day(site, engine):
    run = site.script("import time; print('on', flush=True); time.sleep(600)")
    next(event for event in run.events() if "on" in event.text)
    containers(engine, run.id)[0].kill()
    site.end(run)
    assert (run.state, run[0].status.failure.code) == ("lost", "RUNNER_FAILED")

    def sweep(ahead):
        now = Engine().facts().clock + ahead
        own, runs = f"{run.id}-0", Runs.at(run.places)
        Engine().sweep(lambda each: each.name == own and target._unneeded(each, now, runs), but="")

    sweep(0)
    assert len(containers(engine, run.id)) == 1
    sweep(DAY + 60)
    assert containers(engine, run.id) == []


def test_shared_memory_is_half_of_the_machines_where_none_is_asked_for(site, engine):
    run = site.end(
        site.script("import os; s = os.statvfs('/dev/shm'); print(s.f_blocks * s.f_frsize)")
    )
    assert int(run.logs()) == pytest.approx(engine.info()["MemTotal"] // 2, abs=1 << 16)
