"""Runs from start to end, with real processes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import diagnosis, dispatch, orders
from dispatcher.errors import Conflict, PythonNotHere, RunUnknown, SecretMissing
from dispatcher.run import UNPACKED
from dispatcher.runner.keys import idempotency
from dispatcher.runner_tree import runner_tree
from dispatcher.store import RunKeys, Runs
from packer import record
from packer.errors import BlobAltered, BlobMissing
from packer.process import ProgramFailed

ROOT = Path(__file__).parents[3]


def supervisor(bench, run) -> int:
    return int((bench.places.supervisor(run.id) / "lock").read_text())


def test_a_run_ends_with_its_manifest(bench):
    digest = bench.code(main="import inside\nopen('out.txt', 'w').write(str(inside.here))")
    manifest = bench.end(["python", "main.py"], digest=digest)
    assert manifest.state == "succeeded"
    assert manifest.exit_code == 0
    assert [file.path for file in manifest.files] == ["out.txt"]
    assert bench.output(manifest, "out.txt") == b"1"
    assert manifest.hardware["cpus"] > 0
    assert manifest.usage.wall > 0
    assert manifest.usage.memory_peak > 1 << 20
    assert manifest.started < manifest.ended
    assert manifest.warnings == ()


def test_nothing_is_left_of_a_run_but_what_is_stored(bench):
    run = bench.submit(["true"])
    bench.wait(run)
    bench.until(lambda: not bench.running(supervisor(bench, run)))
    assert not bench.places.work(run.id).exists()
    for folder in ("layers", "roots"):
        assert not list((bench.places.cache / folder).glob(".*.incoming"))


def test_only_the_images_packages_are_importable(bench):
    # pytest is in the environment of the interpreter that runs this, and msgspec too.
    code = "import sys\ntry:\n import msgspec\nexcept ImportError: pass\nelse: sys.exit(3)\n"
    code += "import inside, sendoff\nassert sendoff.inside()\nassert sendoff.run_id\n"
    code += "assert not [p for p in sys.path if 'dist-packages' in p or '.local' in p], sys.path\n"
    manifest = bench.end(["python", "main.py"], digest=bench.code(main=code))
    assert manifest.state == "succeeded", manifest.failure


def test_a_script_without_its_interpreter_is_told_so(bench):
    failure = bench.failure(["main.py"], digest=bench.code(main="print(1)"))
    assert (failure.code, failure.fix) == (
        "COMMAND_NOT_FOUND",
        "start it with its interpreter: python main.py",
    )


def test_the_hosts_variables_stay_out(bench, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("API_KEY", "private")
    monkeypatch.setenv("LC_TIME", "C")
    manifest = bench.end(["sh", "-c", "env > env.txt"], environment={"MODE": "fast"})
    lines = bench.output(manifest, "env.txt").decode().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    assert "API_KEY" not in variables
    assert "/elsewhere" not in variables["PYTHONPATH"]
    assert variables["LC_TIME"] == "C"
    assert variables["MODE"] == "fast"
    assert variables["PATH"].split(":")[0].endswith("/opt/sendoff/env/bin")


def test_a_secret_comes_from_the_client_and_stays_out_of_every_record(bench, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t-value")
    manifest = bench.end(["sh", "-c", "test ${#TOKEN} = 12"], secrets=("TOKEN",))
    assert manifest.state == "succeeded"
    for folder in (bench.stored, bench.places.state):
        for root, _, names in os.walk(folder):
            for name in names:
                # The supervisor may be tidying up while we look.
                with contextlib.suppress(FileNotFoundError):
                    assert b"s3cr3t-value" not in (Path(root) / name).read_bytes()


def test_a_secret_without_a_value_is_refused(bench):
    with pytest.raises(SecretMissing, match="NO_SUCH"):
        bench.submit(["true"], secrets=("NO_SUCH",))
    assert dispatch.runs(bench.places) == []


def test_the_shared_environment_can_not_be_written(bench):
    code = "import inside, os\nopen(inside.__file__, 'a').write('x')\n"
    manifest = bench.end(["python", "main.py"], digest=bench.code(main=code))
    assert manifest.failure.code == "EXIT_NONZERO"
    assert "Read-only" in manifest.failure.evidence[-1] or "denied" in manifest.failure.evidence[-1]
    for path in bench.places.cache.rglob("inside.py"):
        assert path.read_text().strip() == "here = 1"


def test_the_code_is_a_copy(bench):
    digest = bench.code(main="open('main.py', 'w').write('changed')")
    first = bench.end(["python", "main.py"], digest=digest)
    second = bench.end(["python", "main.py"], digest=digest)
    assert [file.path for file in first.files] == [file.path for file in second.files]
    assert bench.output(second, "main.py") == b"changed"


def test_indexes_run_side_by_side_up_to_the_limit(bench, tmp_path):
    # Each waits for the other: neither would end alone.
    wait = f"touch {tmp_path}/$0; while ! test -e {tmp_path}/$1; do sleep 0.01; done"
    run = bench.submit(["sh", "-c", wait, "a", "b"], ["sh", "-c", wait, "b", "a"], max_parallel=2)
    assert bench.wait(run).state == "succeeded"


def test_max_parallel_holds(bench, tmp_path):
    alone = f"mkdir {tmp_path}/busy || exit 9; sleep 0.05; rmdir {tmp_path}/busy"
    run = bench.submit(*[["sh", "-c", alone]] * 4, max_parallel=1)
    assert bench.wait(run).state == "succeeded"


def test_a_run_with_a_failed_index_has_failed_and_keeps_the_others(bench):
    run = bench.submit(["true"], ["false"], ["true"])
    status = bench.wait(run)
    assert status.state == "failed"
    assert [index.state for index in status.indexes] == ["succeeded", "failed", "succeeded"]


def test_the_same_key_gives_the_same_run(bench):
    first = bench.run(["true"], idempotency_key="k", digest=(digest := bench.code()))
    second = bench.run(["true"], idempotency_key="k", digest=digest)
    assert dispatch.submit(first, bench.places).id == first.id
    assert dispatch.submit(second, bench.places).id == first.id
    bench.wait(first)
    assert dispatch.submit(second, bench.places).id == first.id
    assert [run.id for run in dispatch.runs(bench.places)] == [first.id]


def test_the_same_key_gives_the_stored_result_even_if_the_image_is_gone(bench):
    run = bench.submit(["true"], idempotency_key="k", digest=(digest := bench.code()))
    bench.wait(run)
    bench.layout.path(digest).unlink()
    again = bench.run(["true"], idempotency_key="k", digest=digest)
    assert dispatch.submit(again, bench.places) == run
    assert dispatch.status(run.id, bench.places).state == "succeeded"


def test_a_run_is_looked_at_by_the_record_that_is_at_hand(bench):
    run = bench.submit(["true"])
    bench.wait(run)
    (bench.stored / RunKeys(run.id).record).unlink()
    assert dispatch.status(run, bench.places).state == "succeeded"
    with pytest.raises(RunUnknown):
        dispatch.status(run.id, bench.places)


def test_the_same_key_for_another_request_is_a_conflict(bench):
    digest = bench.code()
    first = bench.submit(["true"], idempotency_key="k", digest=digest)
    with pytest.raises(Conflict) as caught:
        bench.submit(["false"], idempotency_key="k", digest=digest)
    assert caught.value.run == first.id
    assert caught.value.differences == ("inputs",)
    assert bench.wait(first).state == "succeeded"


def test_two_clients_with_one_key_at_once_make_one_run(bench, tmp_path):
    digest = bench.code()
    run = bench.run(["sh", "-c", f"echo >> {tmp_path}/count"], idempotency_key="k", digest=digest)
    bench.end(["true"], digest=digest)
    code = (
        "import sys, msgspec; from pathlib import Path\n"
        "from dispatcher import dispatch; from dispatcher.places import Places\n"
        "from dispatcher.run import Run; from packer import record\n"
        "run = record.decode(sys.argv[1], Run)\n"
        "run = msgspec.structs.replace(run, id=run.id + sys.argv[2])\n"
        "layout, store, cache, state = sys.argv[3:]\n"
        "places = Places(layout=Path(layout), store=store, cache=Path(cache), state=Path(state))\n"
        "sys.stdin.read(1)\n"
        "print(dispatch.submit(run, places).id)\n"
    )
    where = [str(getattr(bench.places, name)) for name in ("layout", "store", "cache", "state")]
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", code, record.encode(run).decode(), mark, *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for mark in "abcd"
    ]
    for client in clients:
        client.stdin.write(b"x")
        client.stdin.flush()
    answers = {client.communicate()[0].decode().strip() for client in clients}
    assert len(answers) == 1
    dispatch.wait(list(answers), bench.places, 60)
    assert (tmp_path / "count").read_text() == "\n"


def test_a_client_that_died_before_the_start_is_made_up_for(bench):
    run = bench.run(["true"], idempotency_key="k")
    Runs.at(bench.places).add(run)
    assert dispatch.status(run.id, bench.places).state == "lost"
    again = bench.run(["true"], idempotency_key="k", digest=run.request.inputs[0].digest)
    # The first had claimed the key and written its record; that is all.
    Runs.at(bench.places).store.put_new(
        idempotency(hashlib.sha256(b"k").hexdigest()), record.encode({"run": run.id})
    )
    assert dispatch.submit(again, bench.places).id == run.id
    assert bench.wait(run).state == "succeeded"


class TestRefusedStarts:
    """What fails after the record was written is told by the run, which its key can start."""

    @pytest.fixture
    def refused(self, bench):
        """A run whose supervisor could not be started, because there is no place for its log."""
        run = bench.run(["sleep", "300"], idempotency_key="k", grace=1)
        log = bench.places.supervisor(run.id) / "supervisor.log"
        log.parent.mkdir(parents=True)
        log.symlink_to(bench.places.state / "nowhere" / "log")
        with pytest.raises(ProgramFailed):
            dispatch.submit(run, bench.places)
        yield run
        dispatch.cancel(run.id, bench.places)
        bench.wait(run)

    def start_by_key(self, bench, refused) -> None:
        (bench.places.supervisor(refused.id) / "supervisor.log").unlink()
        digest = refused.request.inputs[0].digest
        again = bench.run(["sleep", "300"], idempotency_key="k", grace=1, digest=digest)
        assert dispatch.submit(again, bench.places).id == refused.id

    def test_it_says_why(self, bench, refused):
        (status,) = dispatch.wait([refused.id], bench.places, 0)
        (index,) = status.indexes
        assert (index.state, index.attempts, index.failure.code) == (
            "failed",
            0,
            ProgramFailed.code,
        )
        assert "No such file" in "".join(index.failure.evidence)

    def test_what_is_no_error_of_ours_is_told_too(self):
        full = diagnosis.of_start(OSError(errno.ENOSPC, "No space left on device"))
        assert (full.code, full.blame, full.retryable) == ("DISK_FULL", "infra", True)
        other = diagnosis.of_start(ValueError("x"))
        assert (other.code, other.evidence) == ("START_FAILED", ("ValueError: x",))

    def test_it_is_started_by_its_key(self, bench, refused):
        self.start_by_key(bench, refused)
        bench.until(lambda: dispatch.status(refused.id, bench.places).state == "running")

    def test_what_was_started_after_all_was_not_refused(self, bench, refused):
        self.start_by_key(bench, refused)
        bench.until(lambda: dispatch.status(refused.id, bench.places).state == "running")
        os.kill(supervisor(bench, refused), signal.SIGKILL)
        bench.until(lambda: dispatch.status(refused.id, bench.places).final)
        (index,) = dispatch.status(refused.id, bench.places).indexes
        assert (index.state, index.failure.code) == ("lost", "SUPERVISOR_LOST")

    def test_an_agent_that_orders_it_again_gets_a_run_of_its_own(self, bench, refused):
        one = replace(refused.request.inputs[0], digest=UNPACKED)
        order = replace(
            refused,
            id="train-bbbbbb",
            request=replace(refused.request, inputs=(one,)),
            snapshot=UNPACKED,
            environment=UNPACKED,
        )
        with orders.held(order.id, bench.places):
            assert dispatch.order(order, bench.places).id == order.id
            with pytest.raises(RunUnknown):
                Runs.at(bench.places).run(order.id)


def test_a_run_survives_its_client(bench, tmp_path):
    digest = bench.code()
    pipe = tmp_path / "go"
    os.mkfifo(pipe)
    run = bench.run(["sh", "-c", f"read line < {pipe}; echo $line"], digest=digest)
    client = os.fork()
    if not client:
        os.setsid()
        dispatch.submit(run, bench.places)
        os.kill(0, signal.SIGKILL)
    os.waitpid(client, 0)
    bench.until(lambda: dispatch.status(run.id, bench.places).state == "running")
    pipe.write_text("on\n")
    assert bench.wait(run).state == "succeeded"


@pytest.mark.parametrize(
    ("waited", "took", "pause"),
    [
        (0, 0, 0.003),
        (1, 0.0001, 0.01),
        (3600, 0.0001, 0.05),
        (3600, 0.02, 0.38),
        (3600, 5, 1.0),
    ],
    ids=["just begun", "a while", "for long", "a large run", "a huge one"],
)
def test_waiting_takes_little_and_notices_soon(waited, took, pause):
    assert dispatch._pause(waited, took) == pytest.approx(pause)


def test_waiting_ends_in_time_whatever_a_look_takes(bench, monkeypatch):
    monkeypatch.setattr(dispatch, "_REST", 1e9)
    run = bench.submit(["sleep", "30"], grace=1)
    began = time.monotonic()
    dispatch.wait([run.id], bench.places, 0.3)
    assert time.monotonic() - began < 0.9
    dispatch.cancel(run.id, bench.places)
    bench.wait(run)


def test_a_killed_supervisor_leaves_a_lost_run_and_no_command(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 300"], ["true"], grace=1)
    pid = bench.marked(tmp_path / "pid")
    os.kill(supervisor(bench, run), signal.SIGKILL)
    (status,) = dispatch.wait([run.id], bench.places, 10)
    assert status.indexes[0].state == "lost"
    assert status.indexes[0].failure.code == "SUPERVISOR_LOST"
    bench.until(lambda: not bench.running(pid))


def test_a_supervisor_that_is_told_to_end_keeps_what_was_saved(bench, tmp_path):
    # A shell may lose a signal that comes just before it waits: this one looks again and again.
    saving = "trap 'echo 1 > saved; exit 0' TERM"
    code = f"{saving}; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    run = bench.submit(["sh", "-c", code], ["true"], max_parallel=1, retries=3)
    bench.marked(tmp_path / "pid")
    os.kill(supervisor(bench, run), signal.SIGTERM)
    first, second = bench.wait(run, timeout=10).indexes
    assert (first.state, first.failure.code, second.state) == ("failed", "INTERRUPTED", "lost")
    assert [file.path for file in first.manifest.files] == ["saved"]


def test_what_killed_supervisors_left_is_swept_once_it_is_old(bench):
    old = bench.places.work("gone-abcdef") / "0-1"
    young = bench.places.work("gone-fedcba") / "0-1"
    unstored = bench.places.work("full-abcdef") / "0-1"
    for folder in (old, young, unstored):
        (folder / "workspace").mkdir(parents=True)
    for folder in (old, unstored):
        os.utime(folder, (0, 0))
    record_of_failure = bench.places.supervisor("full-abcdef") / "0.json"
    record_of_failure.parent.mkdir(parents=True)
    record_of_failure.write_text("{}")
    bench.end(["true"])
    bench.until(lambda: not old.parent.exists())
    assert young.exists()
    assert unstored.exists()


def test_a_killed_runner_is_an_infrastructure_failure_and_leaves_no_command(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo $PPID $$ > {tmp_path}/pids; sleep 300"])
    runner, command = map(int, bench.until(lambda: bench.read(tmp_path / "pids")).split())
    os.kill(runner, signal.SIGKILL)
    status = bench.wait(run)
    failure = status.indexes[0].failure
    assert (status.state, failure.code, failure.blame) == ("failed", "RUNNER_LOST", "infra")
    bench.until(lambda: not bench.running(command))


def test_what_a_killed_runner_held_is_known(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"sleep 0.3; echo $PPID > {tmp_path}/pid; sleep 300"])
    os.kill(bench.marked(tmp_path / "pid"), signal.SIGKILL)
    index = bench.wait(run).indexes[0]
    manifest = index.manifest
    started = Runs.at(bench.places).started(run.id, 0, 1)
    assert started
    assert started.started == index.started == manifest.started < manifest.ended
    assert 0.3 < manifest.usage.wall == manifest.phases.running < 60


def test_an_infrastructure_failure_is_tried_again(bench, tmp_path):
    code = f"test -e {tmp_path}/first && exit 0; echo $PPID > {tmp_path}/first; sleep 300"
    run = bench.submit(["sh", "-c", code], retries=1)
    os.kill(bench.marked(tmp_path / "first"), signal.SIGKILL)
    status = bench.wait(run)
    assert status.state == "succeeded"
    assert status.indexes[0].attempts == 2


def test_a_commands_own_failure_is_not_tried_again(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo >> {tmp_path}/count; exit 3"], retries=3)
    assert bench.wait(run).indexes[0].exit_code == 3
    assert (tmp_path / "count").read_text() == "\n"


def test_a_cancelled_run_ends_and_keeps_what_it_wrote(bench, tmp_path):
    code = f"trap 'echo saved > late; exit 0' TERM; echo $$ > {tmp_path}/pid; sleep 300 & wait"
    run = bench.submit(["sh", "-c", code], ["true"], max_parallel=1)
    bench.marked(tmp_path / "pid")
    dispatch.cancel(run.id, bench.places)
    status = bench.wait(run, timeout=10)
    assert [index.state for index in status.indexes] == ["cancelled", "cancelled"]
    assert [file.path for file in status.indexes[0].manifest.files] == ["late"]
    assert status.indexes[1].attempts == 0


def test_one_index_can_be_cancelled(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 300"], ["true"])
    bench.marked(tmp_path / "pid")
    dispatch.cancel(run.id, bench.places, 0)
    states = [index.state for index in bench.wait(run).indexes]
    assert states == ["cancelled", "succeeded"]


@pytest.mark.parametrize(
    "line", ["signals, calls = Signals(), None", "variables: dict[str, str] | None = None"]
)
def test_cancelling_what_has_just_begun_is_not_lost(bench, line):
    """Whether the runner comes to hear it by itself, or has not come that far."""
    digest = bench.slow(line, seconds=1)
    assert bench.end(["true"], digest=digest).state == "succeeded"
    run = bench.submit(["sleep", "300"], digest=digest)
    work = bench.places.state / "work" / run.id
    bench.until(lambda: work.is_dir() and any(work.iterdir()))
    dispatch.cancel(run.id, bench.places)
    manifest = bench.wait(run, timeout=10).indexes[0].manifest
    assert (manifest.state, manifest.failure, manifest.attempt) == ("cancelled", None, 1)


def test_cancelling_what_ignores_it_takes_the_grace(bench, tmp_path):
    code = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    run = bench.submit(["sh", "-c", code], grace=0.3)
    bench.marked(tmp_path / "pid")
    dispatch.cancel(run.id, bench.places)
    manifest = bench.wait(run, timeout=10).indexes[0].manifest
    assert (manifest.state, manifest.signal) == ("cancelled", "SIGKILL")


def test_cancelling_what_has_ended_changes_nothing(bench):
    run = bench.submit(["true"])
    bench.wait(run)
    dispatch.cancel(run.id, bench.places)
    assert dispatch.status(run.id, bench.places).state == "succeeded"


def test_waiting_ends_with_its_time(bench):
    run = bench.submit(["sleep", "300"], grace=0.1)
    began = time.monotonic()
    (status,) = dispatch.wait([run.id], bench.places, 0.1)
    assert time.monotonic() - began < 2
    assert not status.final
    dispatch.cancel(run.id, bench.places)
    bench.wait(run)


def test_what_does_not_exist_is_said_to_be_unknown(bench):
    for name in ("nothing", "../../etc", ""):
        with pytest.raises(RunUnknown):
            dispatch.status(name, bench.places)
    run = bench.submit(["true"])
    bench.wait(run)
    with pytest.raises(RunUnknown):
        dispatch.cancel(run.id, bench.places, 1)


def test_a_missing_blob_is_refused_before_anything_is_written(bench):
    layer = bench.layer({"/workspace/a": "1"})
    digest = bench.image(layer)
    bench.layout.path(layer.digest).unlink()
    with pytest.raises(BlobMissing):
        bench.submit(["true"], digest=digest)
    assert dispatch.runs(bench.places) == []
    bench.layout.path(digest).unlink()
    with pytest.raises(BlobMissing):
        bench.submit(["true"], digest=digest)


def test_a_blob_cut_short_is_refused(bench):
    layer = bench.layer({"/workspace/a": "1" * 9000})
    path = bench.layout.path(layer.digest)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BlobAltered):
        bench.submit(["true"], digest=bench.image(layer))


def test_an_altered_blob_is_found_by_its_digest_and_never_run(bench, tmp_path):
    good = bench.layer({"/workspace/main.sh": f"touch {tmp_path}/ran\n"})
    digest = bench.image(bench.layer({"/opt/sendoff/env/x": ""}), good)
    path = bench.layout.path(good.digest)
    path.write_bytes(path.read_bytes().replace(b"touch", b"TOUCH"))
    manifest = bench.end(["sh", "main.sh"], digest=digest)
    assert manifest.failure.code == "BLOB_ALTERED"
    assert not (tmp_path / "ran").exists()
    assert not (bench.places.cache / "layers" / good.diff_id.hex).exists()


def test_a_python_that_is_not_here_is_refused_by_name(bench):
    digest = bench.image(bench.layer({"/workspace/a": "1"}), python="3.99.1")
    with pytest.raises(PythonNotHere) as caught:
        bench.submit(["true"], digest=digest)
    assert caught.value.code == "PYTHON_MISMATCH"
    assert sys.version.split()[0].rpartition(".")[0] in caught.value.evidence()


def test_a_python_version_whose_patch_is_not_here_runs_with_its_minor(bench):
    minor = sys.version.split()[0].rpartition(".")[0]
    digest = bench.image(bench.layer(dict(runner_tree())), python=f"{minor}.99")
    code = "import sys; sys.exit(sys.version.split()[0].rpartition('.')[0] != '" + minor + "')"
    assert bench.end(["python", "-c", code], digest=digest).state == "succeeded"


def test_changes_of_a_run_are_told_as_they_come(bench, tmp_path):
    gate = f"while ! test -e {tmp_path}/$0; do sleep 0.01; done"
    run = bench.submit(["sh", "-c", gate, "a"], ["sh", "-c", gate, "b"], max_parallel=2)
    ended = []
    for status in dispatch.changes(run.id, bench.places):
        assert not ended or status != ended[-1]
        ended.append(status)
        done = sum(index.final for index in status.indexes)
        if status.indexes[0].state == "running":
            (tmp_path / "a").touch()
        if done == 1:
            (tmp_path / "b").touch()
    assert ended[-1].state == "succeeded"
    assert [index.final for index in ended[-1].indexes] == [True, True]
    assert any(not each.final and each.indexes[0].final for each in ended)


def test_some_indexes_can_be_waited_for_alone(bench, tmp_path):
    stays = f"while ! test -e {tmp_path}/go; do sleep 0.01; done"
    run = bench.submit(["sh", "-c", stays], ["true"], max_parallel=2)
    (status,) = dispatch.wait([run.id], bench.places, 60, {run.id: {1}})
    assert [index.final for index in status.indexes] == [False, True]
    (tmp_path / "go").touch()
    assert bench.wait(run).state == "succeeded"
