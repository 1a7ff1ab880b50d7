"""A supervisor that is kept for the next run of the same program."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from dispatcher.local import supervision, target

pytestmark = pytest.mark.usefixtures("kept")
SHOW = "import os, sys\nopen('out.txt', 'w').write(os.environ.get('SAID', 'nothing'))\n"


@pytest.fixture
def kept(own_supervision, monkeypatch, tmp_path):
    """What this process keeps."""
    # Tests beside these mount small disks.
    mounts = tmp_path / "mounts"
    mounts.write_bytes(supervision._MOUNTS.read_bytes())
    monkeypatch.setattr(supervision, "_MOUNTS", mounts)
    own_supervision.expect_more()
    return own_supervision


@pytest.fixture
def digest(bench):
    """An image whose environment is unpacked."""
    made = bench.code(main=SHOW)
    assert bench.end(["true"], digest=made).state == "succeeded"
    return made


def lock(bench, run):
    return bench.places.supervisor(run.id) / "lock"


def ended(bench, digest, *command, **request):
    """The process that looked after a run, once it has let go of it."""
    run = bench.submit(list(command) or ["true"], digest=digest, **request)
    assert bench.wait(run).indexes[0].manifest.state == "succeeded"
    bench.until(lambda: target.LocalTarget(bench.places).view(run)._lost())
    return int(lock(bench, run).read_text())


def runners(supervisor):
    """The processes that a supervisor has started."""
    return Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()


def test_one_run_after_another_has_the_same_supervisor_and_runner(bench, digest):
    first = ended(bench, digest)
    runner = runners(first)
    assert [ended(bench, digest) for _ in range(3)] == [first] * 3
    assert runners(first) == runner
    assert not any((bench.places.state / "work").iterdir())


def test_each_run_has_its_own_files_and_variables(bench, digest, monkeypatch):
    first = ended(bench, digest, "sh", "-c", "echo > left")
    monkeypatch.setenv("SAID", "a secret")
    manifest = bench.end(["python", "main.py"], digest=digest, secrets=("SAID",))
    assert [file.path for file in manifest.files] == ["out.txt"]
    assert bench.output(manifest, "out.txt") == b"a secret"
    manifest = bench.end(["python", "main.py"], digest=digest)
    assert bench.output(manifest, "out.txt") == b"nothing"
    assert ended(bench, digest) == first


def test_another_environment_has_another_runner(bench, digest):
    first = ended(bench, digest)
    runner = runners(first)
    other = bench.code(environment={"other.py": "here = 2\n"}, main="import other\n")
    # Its environment is not there yet, and is made by a supervisor that is not kept.
    assert ended(bench, other, "python", "main.py") != first
    again = ended(bench, digest)
    assert ended(bench, other, "python", "main.py") == again
    assert runners(again) != runner


def test_a_run_does_not_wait_for_another(bench, digest, tmp_path):
    gate = tmp_path / "gate"
    waits = ["sh", "-c", f"until test -e {gate}; do sleep 0.01; done"]
    slow = bench.submit(waits, digest=digest)
    supervisor = bench.marked(lock(bench, slow))
    second = ended(bench, digest)
    assert second != supervisor
    assert ended(bench, digest) == second
    gate.touch()
    bench.wait(slow)
    # It was not the last, and is not kept.
    bench.until(lambda: not bench.running(supervisor))


def test_a_run_of_many_indexes_leaves_no_runner(bench, digest):
    supervisor = ended(bench, digest, max_parallel=1)
    run = bench.submit(*[["true"]] * 4, digest=digest, max_parallel=1)
    assert bench.wait(run).state == "succeeded"
    assert int(lock(bench, run).read_text()) == supervisor
    bench.until(lambda: not runners(supervisor))
    assert ended(bench, digest) == supervisor


def test_one_that_was_killed_is_replaced(bench, digest):
    first = ended(bench, digest)
    os.kill(first, signal.SIGKILL)
    bench.until(lambda: not bench.running(first))
    second = ended(bench, digest)
    os.kill(second, signal.SIGTERM)
    bench.until(lambda: not bench.running(second))
    assert ended(bench, digest) not in (first, second)


def test_a_runner_that_was_killed_is_replaced(bench, digest):
    supervisor = ended(bench, digest)
    (runner,) = runners(supervisor)
    os.kill(int(runner), signal.SIGKILL)
    bench.until(lambda: not bench.running(int(runner)))
    assert ended(bench, digest) == supervisor
    assert runners(supervisor) != [runner]


def test_a_killed_command_has_its_words_in_the_runs_own_log(bench, digest):
    first = ended(bench, digest)
    kill = "import os; os.kill(os.getppid(), 9)"
    run = bench.submit(["python", "-c", kill], digest=digest)
    assert bench.wait(run).indexes[0].manifest.failure.code == "RUNNER_LOST"
    assert int(lock(bench, run).read_text()) == first
    assert (bench.places.supervisor(run.id) / "supervisor.log").exists()
    assert ended(bench, digest) == first


def test_it_ends_with_whoever_keeps_it(bench, digest, kept):
    supervisor = ended(bench, digest)
    (runner,) = runners(supervisor)
    kept.close()
    for process in (supervisor, int(runner)):
        bench.until(lambda process=process: not bench.running(process))


def test_it_ends_when_nothing_comes(bench, digest, monkeypatch):
    monkeypatch.setattr(target, "IDLE", 0.2)
    supervisor = ended(bench, digest)
    bench.until(lambda: not bench.running(supervisor))
    assert ended(bench, digest) != supervisor


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_what_was_mounted_since_is_seen(bench, digest, tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "_MOUNTS", Path("/proc/self/mountinfo"))
    supervisor = ended(bench, digest)
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", data], check=True)
    try:
        (data / "file").touch()
        assert ended(bench, digest, "test", "-e", str(data / "file")) != supervisor
    finally:
        subprocess.run(["umount", "--lazy", data], check=True)


def test_a_fork_keeps_its_own(bench, digest):
    supervisor = ended(bench, digest)
    child = os.fork()
    if not child:
        # Nothing but the exit status leaves the fork.
        os._exit(0 if ended(bench, digest) != supervisor else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ended(bench, digest) == supervisor


def test_what_was_removed_and_is_there_again_is_guarded_again(bench, digest, tmp_path):
    first = ended(bench, digest)
    roots = bench.places.cache / "roots"
    roots.rename(tmp_path / "removed")
    ended(bench, digest)
    assert (
        ended(bench, digest, "sh", "-c", f"! touch {roots}/written || test $(id -u) != 0") != first
    )


def test_without_being_asked_nothing_is_kept(bench, digest, kept):
    kept.lasting = False
    supervisor = ended(bench, digest)
    bench.until(lambda: not bench.running(supervisor))
